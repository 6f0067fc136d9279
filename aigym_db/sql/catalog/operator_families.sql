-- User-defined operator families with their operators and support functions.
select
    'operator family' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(f.opfname) || ' using ' || m.amname as name,
    (
        select string_agg(
            'operator ' || o.amopstrategy || ' ' || o.amopopr::regoperator::text || ' ' || o.amoppurpose::text,
            ', ' order by o.amopstrategy, o.amopopr::regoperator::text collate "C"
        )
        from pg_amop as o
        where o.amopfamily = f.oid
    ) as operators,
    (
        select string_agg(
            'function ' || s.amprocnum || ' ' || s.amproc::regprocedure::text,
            ', ' order by s.amprocnum, s.amproc::regprocedure::text collate "C"
        )
        from pg_amproc as s
        where s.amprocfamily = f.oid
    ) as functions,
    f.opfowner::regrole::text as owner,
    d.description as comment
from pg_opfamily as f
join pg_am as m on m.oid = f.opfmethod
join pg_namespace as n on n.oid = f.opfnamespace
left join pg_description as d on d.objoid = f.oid and d.classoid = 'pg_opfamily'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_opfamily'::regclass and e.objid = f.oid and e.deptype = 'e'
    )

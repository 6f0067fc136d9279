-- User-defined operators.
select
    'operator' as kind,
    o.oid::regoperator::text as name,
    nullif(o.oprcode::oid, 0)::regprocedure::text as function,
    o.oprresult::regtype::text as returns,
    nullif(o.oprcom, 0)::regoperator::text as commutator,
    nullif(o.oprnegate, 0)::regoperator::text as negator,
    nullif(o.oprrest::oid, 0)::regprocedure::text as restrict,
    nullif(o.oprjoin::oid, 0)::regprocedure::text as join,
    concat_ws(', ', case when o.oprcanmerge then 'merges' end, case when o.oprcanhash then 'hashes' end) as options,
    o.oprowner::regrole::text as owner,
    d.description as comment
from pg_operator as o
join pg_namespace as n on n.oid = o.oprnamespace
left join pg_description as d on d.objoid = o.oid and d.classoid = 'pg_operator'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_operator'::regclass and e.objid = o.oid and e.deptype = 'e'
    )

-- User-defined operator classes.
select
    'operator class' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.opcname) || ' using ' || m.amname as name,
    quote_ident(fn.nspname) || '.' || quote_ident(f.opfname) as family,
    c.opcintype::regtype::text as type,
    nullif(c.opckeytype, 0)::regtype::text as key_type,
    c.opcdefault::text as is_default,
    c.opcowner::regrole::text as owner,
    d.description as comment
from pg_opclass as c
join pg_am as m on m.oid = c.opcmethod
join pg_opfamily as f on f.oid = c.opcfamily
join pg_namespace as fn on fn.oid = f.opfnamespace
join pg_namespace as n on n.oid = c.opcnamespace
left join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_opclass'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_opclass'::regclass and e.objid = c.oid and e.deptype = 'e'
    )

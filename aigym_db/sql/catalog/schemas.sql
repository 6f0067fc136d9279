-- Schemas with their owner and privileges.
select
    'schema' as kind,
    quote_ident(n.nspname) as name,
    n.nspowner::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) as item
    ) as acl,
    d.description as comment
from pg_namespace as n
left join pg_description as d on d.objoid = n.oid and d.classoid = 'pg_namespace'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e'
    )

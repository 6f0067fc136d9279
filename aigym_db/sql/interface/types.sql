-- Enums, domains and composite types outside the system schemas, by the name that format_type gives them.
select
    pg_catalog.format_type(t.oid, null) as name,
    case when t.typtype = 'd' then pg_catalog.format_type(t.typbasetype, t.typtypmod) end as base,
    array(select e.enumlabel::text from pg_catalog.pg_enum as e where e.enumtypid = t.oid order by e.enumsortorder) as labels,
    array(
        select pg_catalog.pg_get_expr(k.conbin, 0)
        from pg_catalog.pg_constraint as k
        where k.contypid = t.oid
            and k.contype = 'c'
        order by k.conname
    ) as checks,
    array(
        select array[pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod)]
        from pg_catalog.pg_attribute as a
        where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
        order by a.attnum
    ) as columns
from pg_catalog.pg_type as t
join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
where t.typtype in ('d', 'e', 'c')
    and n.nspname not in ('pg_catalog', 'information_schema')
order by 1

-- Tables and views of a schema: columns in order, and the privileges of roles other than the owner.
select
    c.oid::regclass::text as name,
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
    array(
        select array[pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod)]
        from pg_catalog.pg_attribute as a
        where a.attrelid = c.oid
            and a.attnum > 0
            and not a.attisdropped
        order by a.attnum
    ) as columns,
    array(
        select array[coalesce(r.rolname, 'public'), pg_catalog.lower(g.privilege_type), '']
        from pg_catalog.aclexplode(c.relacl) as g
        left join pg_catalog.pg_roles as r on r.oid = g.grantee
        where g.grantee <> c.relowner
        union all
        select array[coalesce(r.rolname, 'public'), pg_catalog.lower(g.privilege_type), pg_catalog.quote_ident(a.attname)]
        from pg_catalog.pg_attribute as a
        cross join pg_catalog.aclexplode(a.attacl) as g
        left join pg_catalog.pg_roles as r on r.oid = g.grantee
        where a.attrelid = c.oid
            and g.grantee <> c.relowner
        order by 1
    ) as privileges
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = %(schema)s
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not c.relispartition
order by c.relname

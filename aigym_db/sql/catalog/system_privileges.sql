-- Privileges on PostgreSQL's own objects that differ from those initdb granted.
select
    'system privileges' as kind,
    s.name,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(s.acl, acldefault(s.type, s.owner))) as item
    ) as acl
from (
    select
        'pg_proc'::regclass as class, p.oid, p.oid::regprocedure::text as name, p.proacl as acl,
        'f'::"char" as type, p.proowner as owner
    from pg_proc as p
    where p.oid < 16384
    union all
    select
        'pg_class'::regclass, c.oid, c.oid::regclass::text, c.relacl,
        case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner
    from pg_class as c
    where c.oid < 16384 and c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v', 'S')
    union all
    select 'pg_namespace'::regclass, n.oid, n.nspname, n.nspacl, 'n'::"char", n.nspowner
    from pg_namespace as n
    where n.nspname = 'pg_catalog'
    union all
    select 'pg_language'::regclass, l.oid, l.lanname, l.lanacl, 'l'::"char", l.lanowner
    from pg_language as l
    where l.oid < 16384
) as s
left join pg_init_privs as i on i.classoid = s.class and i.objoid = s.oid and i.objsubid = 0
where s.acl is distinct from i.initprivs

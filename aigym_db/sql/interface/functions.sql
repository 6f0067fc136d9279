-- Functions of a schema, except those that return a trigger: arguments, result, and the roles that can execute them.
select
    p.oid::regproc::text as name,
    array(
        select array[
            coalesce(nullif(p.proargnames[i], ''), '$' || i),
            pg_catalog.format_type(t.type, null),
            (i > p.pronargs - p.pronargdefaults)::text
        ]
        from pg_catalog.unnest(p.proargtypes::oid[]) with ordinality as t (type, i)
        order by i
    ) as arguments,
    pg_catalog.format_type(p.prorettype, null) as result,
    p.proretset as returns_set,
    array(
        select array[p.proargnames[i], pg_catalog.format_type(t.type, null)]
        from pg_catalog.unnest(p.proallargtypes) with ordinality as t (type, i)
        where p.proargmodes[i] in ('t', 'o', 'b')
        order by i
    ) as result_columns,
    array(
        select coalesce(r.rolname, 'public')::text
        from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) as g
        left join pg_catalog.pg_roles as r on r.oid = g.grantee
        where g.grantee <> p.proowner
        order by 1
    ) as roles
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where n.nspname = %(schema)s
    and p.prokind in ('f', 'p')
    and p.prorettype <> 'trigger'::regtype
order by p.proname, p.oid::regprocedure::text

-- Functions, procedures and aggregates of a schema, except those of triggers: arguments, result, roles that can execute them.
select
    p.oid::regproc::text as name,
    case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind,
    array(
        select array[
            coalesce(pg_catalog.quote_ident(nullif(a.name, '')), '$' || a.number),
            pg_catalog.format_type(a.type, null),
            (a.number > p.pronargs - p.pronargdefaults)::text
        ]
        from (
            select
                u.type,
                p.proargnames[u.position] as name,
                pg_catalog.row_number() over (order by u.position) as number
            from pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as u (type, position)
            where coalesce(p.proargmodes[u.position], 'i') in ('i', 'b', 'v')
        ) as a
        order by a.number
    ) as arguments,
    pg_catalog.format_type(p.prorettype, null) as result,
    p.proretset as returns_set,
    array(
        select array[
            coalesce(pg_catalog.quote_ident(nullif(p.proargnames[i], '')), 'column' || pg_catalog.row_number() over (order by i)),
            pg_catalog.format_type(t.type, null)
        ]
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
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
order by p.proname, p.oid::regprocedure::text

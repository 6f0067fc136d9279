-- A view that reads its tables with the privileges of its owner.
-- code: SEC07
-- level: error
-- hint: Write `with (security_invoker = true)` on the view.
-- breaks: alter view app.names reset (security_invoker)
-- finding: app.names reads as verify_owner
-- breaks: alter view app.names set (security_invoker = false)
-- finding: app.names reads as verify_owner
-- breaks: grant select on app.internal to public
-- finding: to PUBLIC
-- A view reads its tables as its owner, to which their policies do not apply, so every role with SELECT on the view
-- reads all rows.
select
    n.nspname || '.' || c.relname as object,
    'The view ' || n.nspname || '.' || c.relname || ' reads as ' || c.relowner::regrole::text
        || ' and shows every row to ' || a.grantees || '.' as message
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
cross join lateral (
    select
        string_agg(
            distinct case when x.grantee = 0 then 'PUBLIC' else x.grantee::regrole::text end, ', '
        ) as grantees
    from pg_catalog.aclexplode(c.relacl) as x
    where x.grantee <> c.relowner
) as a
where c.relkind = 'v'
    and a.grantees is not null
    and not exists (
        select
        from pg_catalog.pg_options_to_table(c.reloptions) as o
        where o.option_name = 'security_invoker' and o.option_value::boolean
    )
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1

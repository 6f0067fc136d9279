-- A SECURITY DEFINER function that PUBLIC can execute.
-- code: SEC06
-- level: error
-- hint: Revoke execute from public, and grant it to the roles that need it.
-- breaks: grant execute on function app.secret() to public
-- finding: PUBLIC can execute app.secret()
-- PostgreSQL grants EXECUTE on every new function to PUBLIC, and this one runs with the privileges of its owner.
select
    n.nspname || '.' || p.proname || '()' as object,
    'PUBLIC can execute ' || p.oid::regprocedure::text || ', which runs as ' || p.proowner::regrole::text
        || '.' as message
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where p.prosecdef
    -- A trigger function cannot be called directly, and firing it requires no privilege.
    and p.prorettype not in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
    and exists (
        select
        from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) as x
        where x.grantee = 0 and x.privilege_type = 'EXECUTE'
    )
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
order by 1

-- Who may create objects in a schema of somebody else?
-- code: SEC08
-- level: error
-- help: Revoke create on the schema; usage is what it takes to use what is in it.
-- breaks: grant create on schema app to verify_reader
-- finding: verify_reader may create
-- Who may create in a schema can put a function where a query of somebody else finds it first.
select
    n.nspname as object,
    case when x.grantee = 0 then 'Everybody' else x.grantee::regrole::text end
        || ' may create objects in the schema ' || n.nspname || '.' as message
from pg_catalog.pg_namespace as n
cross join lateral pg_catalog.aclexplode(n.nspacl) as x
where x.privilege_type = 'CREATE'
    and x.grantee <> n.nspowner
    -- Who owns functions here has to be allowed to.
    and not exists (
        select from pg_catalog.pg_proc as p where p.pronamespace = n.oid and p.proowner = x.grantee
    )
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
order by 1, 2

-- A role that can create objects in a schema that it does not own.
-- code: SEC08
-- level: error
-- hint: Revoke create on the schema; using its objects requires only usage.
-- breaks: grant create on schema app to verify_reader
-- finding: verify_reader may create
-- A role that can create in a schema can add a function that another role's query resolves first.
select
    n.nspname as object,
    case when x.grantee = 0 then 'PUBLIC' else x.grantee::regrole::text end
        || ' may create objects in the schema ' || n.nspname || '.' as message
from pg_catalog.pg_namespace as n
cross join lateral pg_catalog.aclexplode(n.nspacl) as x
where x.privilege_type = 'CREATE'
    and x.grantee <> n.nspowner
    -- Owners of functions in the schema need the privilege.
    and not exists (
        select from pg_catalog.pg_proc as p where p.pronamespace = n.oid and p.proowner = x.grantee
    )
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
order by 1, 2

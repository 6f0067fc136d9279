-- The attributes of every role. The caller keeps the roles that are relevant to the database.
select
    'role' as kind,
    quote_ident(r.rolname) as name,
    r.rolsuper::text as superuser,
    r.rolbypassrls::text as bypass_rls,
    r.rolcanlogin::text as login,
    r.rolinherit::text as inherit,
    r.rolcreaterole::text as create_role,
    r.rolcreatedb::text as create_database,
    r.rolreplication::text as replication,
    case when r.rolconnlimit >= 0 then r.rolconnlimit::text end as connection_limit,
    r.rolvaliduntil::text as valid_until,
    shobj_description(r.oid, 'pg_authid') as comment
from pg_roles as r
where r.rolname !~ '^pg_'

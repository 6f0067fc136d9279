-- A table owner that can log in and bypasses row-level security.
-- code: SEC09
-- level: warning
-- hint: Transfer the tables to a role with NOLOGIN.
-- breaks: alter role verify_owner login
-- finding: verify_owner owns 3 tables
-- Policies do not apply to the owner of a table, unless it has FORCE ROW LEVEL SECURITY. An application that connects
-- as the owner sees every row. A superuser bypasses every policy whether or not it owns the table, and a server of a
-- developer has no other role, so superusers are left out.
select
    min(n.nspname || '.' || c.relname) as object,
    r.rolname || ' owns ' || count(*) || ' tables with row-level security and can log in: sessions of '
        || r.rolname || ' bypass their policies.' as message
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_roles as r on r.oid = c.relowner
where c.relkind in ('r', 'p')
    and c.relrowsecurity
    and r.rolcanlogin
    and not r.rolsuper
    and (r.rolbypassrls or not c.relforcerowsecurity)
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
group by r.rolname
order by 1

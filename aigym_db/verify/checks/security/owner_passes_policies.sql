-- Which owners of tables can log in and pass their policies?
-- code: SEC09
-- level: warning
-- help: Let a role own the tables that cannot log in and is no superuser.
-- breaks: alter role verify_owner login
-- finding: verify_owner owns 3 tables
-- Policies do not restrict the owner of a table (unless it says FORCE) nor a superuser. An application that connects as
-- the owner sees everything.
select
    min(n.nspname || '.' || c.relname) as object,
    r.rolname || ' owns ' || count(*) || ' tables with row-level security and can log in: whoever connects as '
        || r.rolname || ' passes their policies.' as message
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_roles as r on r.oid = c.relowner
where c.relkind in ('r', 'p')
    and c.relrowsecurity
    and r.rolcanlogin
    and (r.rolsuper or r.rolbypassrls or not c.relforcerowsecurity)
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
group by r.rolname
order by 1

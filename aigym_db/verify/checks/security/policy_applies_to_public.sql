-- A policy that applies to PUBLIC.
-- code: SEC02
-- level: error
-- hint: Name the roles that the policy applies to: `to authenticated`.
-- breaks: alter policy birds_select on app.birds to public
-- finding: birds_select on app.birds
-- A policy without TO applies to PUBLIC, which includes roles created later and roles that must not see any row.
select
    n.nspname || '.' || c.relname || '.' || p.polname as object,
    'The policy ' || p.polname || ' on ' || n.nspname || '.' || c.relname
        || ' applies to PUBLIC, which includes roles that must not see any row.' as message
from pg_catalog.pg_policy as p
join pg_catalog.pg_class as c on c.oid = p.polrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where 0 = any (p.polroles)
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1

-- A table or partition with row-level security disabled.
-- code: SEC01
-- level: error
-- hint: Write `alter table … enable row level security` and the policies it needs.
-- breaks: alter table app.birds disable row level security
-- finding: so its policies have no effect
-- breaks: alter table app.days_2025 disable row level security
-- finding: The partition app.days_2025
-- breaks: create table app.more (id int)
-- finding: app.more has row-level security disabled
-- Without row-level security every role with SELECT reads every row, and the policies of the table have no effect.
-- Each partition has its own setting: a direct query on it bypasses the policies of its parent.
select
    n.nspname || '.' || c.relname as object,
    case when c.relispartition then 'The partition ' else 'The table ' end || n.nspname || '.' || c.relname
        || ' has row-level security disabled'
        || case
            when exists (select from pg_catalog.pg_policy as p where p.polrelid = c.oid)
                then ', so its policies have no effect'
            else ''
        end
        || ': every role with SELECT reads every row.' as message
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
    and not c.relrowsecurity
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1

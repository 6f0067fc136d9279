-- Which tables and partitions have row-level security switched off?
-- code: SEC01
-- level: error
-- help: Write `alter table … enable row level security` and the policies it needs.
-- breaks: alter table app.birds disable row level security
-- finding: so its policies do nothing
-- breaks: alter table app.days_2025 disable row level security
-- finding: The partition app.days_2025
-- breaks: create table app.more (id int)
-- finding: app.more has row-level security switched off
-- Without row-level security a table shows every row to whoever may read it, and policies on it do nothing.
-- A partition has a switch of its own: who may query it directly passes the policies of its parent.
select
    n.nspname || '.' || c.relname as object,
    case when c.relispartition then 'The partition ' else 'The table ' end || n.nspname || '.' || c.relname
        || ' has row-level security switched off'
        || case
            when exists (select from pg_catalog.pg_policy as p where p.polrelid = c.oid)
                then ', so its policies do nothing'
            else ''
        end
        || ': who may read it reads every row.' as message
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

-- Which constraints were never checked against the rows that are there?
-- code: INT02
-- level: warning
-- help: Run `alter table … validate constraint …`, once the rows obey it.
-- breaks: alter table app.birds add constraint birds_check check (id > 5) not valid
-- finding: birds_check on app.birds
-- NOT VALID checks new rows only. Until VALIDATE CONSTRAINT has passed, old rows may break it, and the planner does
-- not trust it.
select
    n.nspname || '.' || c.relname as object,
    'The constraint ' || k.conname || ' on ' || n.nspname || '.' || c.relname
        || ' is not validated: rows that were there before may break it.' as message
from pg_catalog.pg_constraint as k
join pg_catalog.pg_class as c on c.oid = k.conrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where not k.convalidated
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1, 2

-- A constraint that has not been validated against existing rows.
-- code: INT02
-- level: warning
-- hint: Run `alter table … validate constraint …`, once the rows satisfy it.
-- breaks: alter table app.birds add constraint birds_check check (id > 5) not valid
-- finding: birds_check on app.birds
-- NOT VALID checks new rows only. Until VALIDATE CONSTRAINT succeeds, older rows may violate it, and the planner does
-- not use it.
select
    n.nspname || '.' || c.relname as object,
    'The constraint ' || k.conname || ' on ' || n.nspname || '.' || c.relname
        || ' is not validated: older rows may violate it.' as message
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

-- An invalid index.
-- code: INT01
-- level: error
-- hint: Drop it with `drop index concurrently`, and build it again.
-- breaks: update pg_catalog.pg_index set indisvalid = false where indexrelid = 'app.birds_pkey'::regclass
-- finding: app.birds_pkey on app.birds
-- An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index: no query uses it, every write maintains it, and a
-- unique one does not guarantee uniqueness.
select
    n.nspname || '.' || c.relname as object,
    'The index ' || n.nspname || '.' || i.relname || ' on ' || n.nspname || '.' || c.relname
        || ' is invalid: no query uses it, and it guarantees nothing.' as message
from pg_catalog.pg_index as x
join pg_catalog.pg_class as i on i.oid = x.indexrelid
join pg_catalog.pg_class as c on c.oid = x.indrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where not (x.indisvalid and x.indisready)
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1, 2

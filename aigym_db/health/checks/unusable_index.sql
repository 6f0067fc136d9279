-- An index that is invalid, and is not being built.
-- code: HLT01
-- hint: Drop it with `drop index concurrently`, and build it again.
-- breaks: update pg_catalog.pg_index set indisvalid = false where indexrelid = 'app.birds_name_idx'::regclass
-- finding: warning: app.birds_name_idx on app.birds is invalid
-- breaks: update pg_catalog.pg_index set indisvalid = false where indexrelid = 'app.birds_pkey'::regclass
-- finding: critical: app.birds_pkey on app.birds is invalid
-- breaks: create unique index birds_pkey_ccnew on app.birds (id, name);
--     update pg_catalog.pg_index set indisvalid = false where indexrelid = 'app.birds_pkey_ccnew'::regclass
-- finding: warning: app.birds_pkey_ccnew on app.birds is invalid
-- breaks: update pg_catalog.pg_index set indisvalid = false
--     where indrelid = (select reltoastrelid from pg_catalog.pg_class where oid = 'app.birds'::regclass)
-- finding: critical: The index pg_toast.
-- An interrupted CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY results in an invalid index: no query uses it, every
-- write maintains it. An invalid unique index is critical, because it does not guarantee uniqueness, except those of
-- REINDEX (`_ccnew`, `_ccold`), whose original or successor is valid. Indexes of a table on which an index is
-- being built are left out; if another role builds one and its table cannot be read, the result is unknown.
select
    case
        when b.hidden then 'unknown'
        when x.indisunique and i.relname !~ '_cc(new|old)[0-9]*$' then 'critical'
        else 'warning'
    end as severity,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(i.relname) as object,
    'The index ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(i.relname) || ' on '
        || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
        || case
            when b.hidden then ' is invalid, or is being built by another role.'
            when x.indisunique and i.relname !~ '_cc(new|old)[0-9]*$' then ' is invalid: it does not guarantee uniqueness.'
            else ' is invalid: no query uses it, and every write maintains it.'
        end as message,
    null::double precision as value
from pg_catalog.pg_index as x
join pg_catalog.pg_class as i on i.oid = x.indexrelid
join pg_catalog.pg_class as c on c.oid = x.indrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
cross join lateral (
    select
        coalesce(pg_catalog.bool_or(p.relid = x.indrelid), false) as building,
        coalesce(pg_catalog.bool_or(p.relid is null), false) as hidden
    from pg_catalog.pg_stat_progress_create_index as p
    where p.datname = pg_catalog.current_database()
) as b
where not (x.indisvalid and x.indisready and x.indislive)
    and not b.building
    and n.nspname <> all (%(ignored)s::text[])

-- An index that another index of the table replaces.
-- code: HLT07
-- hint: Drop it with `drop index concurrently`; drop the constraint if it belongs to one.
-- unit: bytes
-- breaks: create index birds_same_idx on app.birds (name)
-- finding: warning: app.birds_same_idx on app.birds duplicates app.birds_name_idx
-- breaks: create index birds_key_idx on app.birds (id)
-- finding: warning: app.birds_key_idx on app.birds duplicates app.birds_pkey
-- breaks: create index days_again_idx on app.days (day)
-- finding: warning: app.days_again_idx on app.days duplicates app.days_day_idx
-- Two indexes are duplicates if method, columns, order, operator classes, collations, expressions and predicate are
-- equal. Of two, the one that enforces less, or else the newer one, is reported; a unique index is a duplicate only of
-- an equally strict one. Indexes of partitions are reported once, for the partitioned index.
with indexes as (
    select
        x.indexrelid,
        x.indrelid,
        x.indisunique,
        x.indisreplident,
        x.indimmediate,
        x.indnullsnotdistinct,
        i.relpages,
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(i.relname) as index_name,
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) as table_name,
        row(
            i.relam, x.indnkeyatts, x.indkey::text, x.indclass::text, x.indcollation::text, x.indoption::text,
            -- A stored expression contains its position in the statement.
            pg_catalog.regexp_replace(x.indexprs::text, ':location -?\d+', '', 'g'),
            pg_catalog.regexp_replace(x.indpred::text, ':location -?\d+', '', 'g')
        )::text as shape,
        pg_catalog.row_number() over (
            partition by x.indrelid
            order by x.indisprimary desc, x.indisreplident desc, x.indisunique desc, k.oid is null, x.indexrelid
        ) as rank
    from pg_catalog.pg_index as x
    join pg_catalog.pg_class as i on i.oid = x.indexrelid
    join pg_catalog.pg_class as c on c.oid = x.indrelid
    join pg_catalog.pg_namespace as n on n.oid = i.relnamespace
    left join pg_catalog.pg_constraint as k on k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')
    where x.indisvalid
        and not x.indisexclusion
        and not i.relispartition
        and n.nspname !~ '^pg_'
        and n.nspname <> 'information_schema'
        and n.nspname <> all (%(ignored)s::text[])
        and not exists (
            select from pg_catalog.pg_depend as e
            where e.classid = 'pg_catalog.pg_class'::regclass and e.objid in (i.oid, c.oid) and e.deptype = 'e'
        )
)

select
    'warning' as severity,
    d.index_name as object,
    'The index ' || d.index_name || ' on ' || d.table_name || ' duplicates ' || o.index_name || '.' as message,
    (d.relpages::bigint * pg_catalog.current_setting('block_size')::int)::double precision as value
from indexes as d
cross join lateral (
    select s.index_name
    from indexes as s
    where s.indrelid = d.indrelid
        and s.shape = d.shape
        and s.rank < d.rank
        and (
            not d.indisunique
            or s.indisunique
            and s.indimmediate = d.indimmediate
            and s.indnullsnotdistinct = d.indnullsnotdistinct
        )
    order by s.rank
    limit 1
) as o
where not d.indisreplident

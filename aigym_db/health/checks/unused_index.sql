-- An index that no query has used.
-- code: HLT06
-- hint: Check the standbys, whose statistics are their own, then drop it with `drop index concurrently`.
-- unit: bytes
-- breaks: after 31 days: create index birds_other_idx on app.birds (name, id);
--     do $$ begin
--       for number in 1..1000 loop perform from app.birds; end loop;
--       perform pg_catalog.pg_stat_force_next_flush();
--     end $$
-- finding: warning: app.birds_other_idx on app.birds is not used
-- breaks: after 2 days: create index birds_other_idx on app.birds (name, id)
-- finding: unknown: 30 days are needed
-- breaks: after 31 days: create index birds_other_idx on app.birds (name, id)
-- finding: unknown: fewer than 1,000 times
-- Every write maintains an unused index. Not reported: indexes that enforce uniqueness or another constraint, and
-- those that a foreign key needs for deletes. The indexes of partitions count for the partitioned index.
--
-- Evidence: statistics of at least 30 days, so that monthly reports are included, and at least 1,000 scans of the table;
-- otherwise the result is unknown. PostgreSQL does not record when an index was created: check the age of a new one.
-- A crash of the server discards the statistics. On a standby the result is unknown, because it counts its own queries.
with evidence as (
    select
        pg_catalog.pg_is_in_recovery() as standby,
        -- A crash discards the statistics without a trace in pg_stat_database, but not in pg_stat_wal.
        greatest(d.stats_reset, w.stats_reset) as since,
        extract(
            epoch from pg_catalog.clock_timestamp() + %(ahead)s::interval - greatest(d.stats_reset, w.stats_reset)
        ) / 86400 as days
    from pg_catalog.pg_stat_database as d
    cross join pg_catalog.pg_stat_wal as w
    where d.datname = pg_catalog.current_database()
),

counted as (
    select
        coalesce(pg_catalog.pg_partition_root(s.indexrelid)::oid, s.indexrelid) as root,
        pg_catalog.sum(s.idx_scan) as scans,
        pg_catalog.sum(coalesce(t.seq_scan, 0) + coalesce(t.idx_scan, 0)) as table_scans,
        pg_catalog.sum(i.relpages::bigint) * pg_catalog.current_setting('block_size')::int as bytes
    from pg_catalog.pg_stat_all_indexes as s
    join pg_catalog.pg_stat_all_tables as t on t.relid = s.relid
    join pg_catalog.pg_class as i on i.oid = s.indexrelid
    where s.schemaname !~ '^pg_'
        and s.schemaname <> 'information_schema'
        and s.schemaname <> all (%(ignored)s::text[])
    group by 1
),

candidates as (
    select
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(i.relname) as index_name,
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) as table_name,
        u.table_scans,
        u.bytes
    from counted as u
    join pg_catalog.pg_index as x on x.indexrelid = u.root
    join pg_catalog.pg_class as i on i.oid = x.indexrelid
    join pg_catalog.pg_class as c on c.oid = x.indrelid
    join pg_catalog.pg_namespace as n on n.oid = i.relnamespace
    where u.scans = 0
        and x.indisvalid
        and not (x.indisunique or x.indisexclusion or x.indisreplident)
        and not exists (
            select from pg_catalog.pg_constraint as k
            where k.conrelid = x.indrelid
                and k.contype = 'f'
                and (x.indkey::smallint[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey
        )
        and not exists (
            select from pg_catalog.pg_depend as e
            where e.classid = 'pg_catalog.pg_class'::regclass and e.objid in (i.oid, c.oid) and e.deptype = 'e'
        )
)

select
    'warning' as severity,
    k.index_name as object,
    'The index ' || k.index_name || ' on ' || k.table_name || ' is not used since '
        || pg_catalog.to_char(e.since, 'YYYY-MM-DD') || ': ' || k.table_scans || ' scans of the table, none of the index.'
        as message,
    k.bytes::double precision as value
from candidates as k
cross join evidence as e
where not e.standby and e.days >= 30 and k.table_scans >= 1000
union all
select
    'unknown',
    '',
    case
        when e.standby
            then 'A standby counts its own queries only'
        when e.days >= 30
            then 'The tables were scanned fewer than 1,000 times'
        else 'The statistics begin on ' || coalesce(pg_catalog.to_char(e.since, 'YYYY-MM-DD'), 'an unknown date')
            || ', and 30 days are needed'
    end || ': indexes without a scan: ' || pg_catalog.count(*) || '.',
    null
from candidates as k
cross join evidence as e
where e.standby or e.days is null or e.days < 30 or k.table_scans < 1000
group by e.standby, e.since, e.days

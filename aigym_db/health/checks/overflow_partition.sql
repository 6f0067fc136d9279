-- An overflow partition that contains rows.
-- code: HLT12
-- hint: Run `aigym-db partitions apply`, which moves rows up to the last partition it creates, and check the job that runs it.
-- unit: rows
-- breaks: do $$ begin
--       execute format('create table app.days_overflow partition of app.days for values from (%L) to (maxvalue)',
--         current_date + 70);
--       execute 'alter table app.days_overflow enable row level security';
--     end $$;
--     insert into app.days values (current_date + 80);
--     select pg_catalog.pg_stat_force_next_flush()
-- finding: critical: The overflow partition app.days_overflow of app.days contains 1 row
-- A partition that ends at MAXVALUE and begins at the end of a bounded one stores the rows of every time that has no
-- partition of its own. It is empty as long as partitions are created ahead. Its rows are not detached or archived, and
-- its indexes grow. Their number is the estimate of statistics, because the check reads no tables.
with bounds as (
    select
        i.inhparent as parent,
        c.oid,
        c.reltuples,
        -- With the table's oid instead of 0, pg_get_expr waits for its lock.
        pg_catalog.pg_get_expr(c.relpartbound, 0) as bound
    from pg_catalog.pg_inherits as i
    join pg_catalog.pg_partitioned_table as p on p.partrelid = i.inhparent and p.partstrat = 'r' and p.partnatts = 1
    join pg_catalog.pg_class as c on c.oid = i.inhrelid
    where not i.inhdetachpending
),

overflow as (
    select
        o.parent,
        o.oid,
        greatest(o.reltuples::float8, pg_catalog.pg_stat_get_live_tuples(o.oid)::float8, 0) as row_count
    from bounds as o
    where o.bound like '%% TO (MAXVALUE)'
        and exists (
            select from bounds as b
            where b.parent = o.parent
                and b.bound not like '%% (MINVALUE) TO %%'
                and pg_catalog."substring"(b.bound, 'TO (\(.*\))$') = pg_catalog."substring"(o.bound, 'FROM (\(.*\)) TO')
        )
)

select
    'critical' as severity,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) as object,
    'The overflow partition ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || ' of '
        || o.parent::regclass || ' contains ' || o.row_count::bigint
        || case when o.row_count = 1 then ' row.' else ' rows.' end as message,
    o.row_count as value
from overflow as o
join pg_catalog.pg_class as c on c.oid = o.oid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where o.row_count > 0
    and n.nspname <> all (%(ignored)s::text[])

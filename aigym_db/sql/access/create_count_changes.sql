-- Return the rows that this transaction has inserted, updated and deleted so far in every counted table, in this order.
create or replace function pg_temp.aigym_count_changes()
returns bigint[]
language sql as $count$
    select array_agg(counter.value order by t.position, counter.kind)
    from pg_temp.aigym_counted_table t
    cross join lateral (
        values
            (1, pg_stat_get_xact_tuples_inserted(t.table_oid)),
            (2, pg_stat_get_xact_tuples_updated(t.table_oid)),
            (3, pg_stat_get_xact_tuples_deleted(t.table_oid))
    ) as counter (kind, value)
$count$

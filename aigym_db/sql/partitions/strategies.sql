-- The strategies of range-partitioned tables that exist, with the number of intervals that stay attached.
select
    s.schema_name,
    s.table_name,
    s.partition_key,
    s.partition_interval,
    s.premake,
    case s.partition_interval
        when 'day' then extract(epoch from s.retention)::bigint / 86400
        when 'week' then extract(epoch from s.retention)::bigint / 604800
        when 'year' then extract(year from s.retention)::bigint
        else (extract(year from s.retention) * 12 + extract(month from s.retention))::bigint
    end as keep,
    s.auto_create,
    s.auto_detach,
    s.auto_drop,
    s.archive_before_drop
from ops.partition_strategies as s
where s.partition_type = 'range'
    and to_regclass(pg_catalog.format('%I.%I', s.schema_name, s.table_name)) is not null
order by 1, 2

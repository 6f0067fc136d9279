-- The largest replication lag, in seconds and in bytes; `hidden` if this role may not see that of a standby.
select coalesce(max(extract(epoch from coalesce(replay_lag, flush_lag, write_lag))), 0)::float8 as behind_s,
       coalesce(max(pg_current_wal_lsn() - coalesce(replay_lsn, flush_lsn, write_lsn, sent_lsn)), 0)::bigint as behind_bytes,
       coalesce(bool_or(state is null), false) as hidden
from pg_stat_replication
where state = 'streaming' or state is null

-- The longest time, in milliseconds, that another session has waited for a lock of this one.
select coalesce(max(extract(epoch from clock_timestamp() - waiting.waitstart)) * 1000, 0)::float8
from pg_locks as waiting
where not waiting.granted and %(pid)s = any (pg_blocking_pids(waiting.pid))

-- For how long, in milliseconds, has another session been waiting for a lock behind this one?
select coalesce(max(extract(epoch from clock_timestamp() - waiting.waitstart)) * 1000, 0)::float8
from pg_locks as waiting
where not waiting.granted and %(pid)s = any (pg_blocking_pids(waiting.pid))

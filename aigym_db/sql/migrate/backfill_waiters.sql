-- The number of sessions that this one blocks.
select count(*)
from (select distinct pid from pg_locks where not granted) as waiting
where %(pid)s = any (pg_blocking_pids(waiting.pid))

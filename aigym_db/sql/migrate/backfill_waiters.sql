-- How many sessions does this one keep waiting?
select count(*)
from (select distinct pid from pg_locks where not granted) as waiting
where %(pid)s = any (pg_blocking_pids(waiting.pid))

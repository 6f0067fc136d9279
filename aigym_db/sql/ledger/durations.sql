-- The durations, in milliseconds, of those of the migrations that a session has committed so far.
select (duration_ms -> -1)::float8
from aigym_db.event
where backend = %(backend)s
  and version = any(%(versions)s)
  and kind in ('apply', 'rollback')
  and occurred_at >= (select backend_start from pg_stat_activity where pid = %(backend)s)
order by id

-- The session that holds one of the two locks of this database or of a tenant schema.
select activity.pid,
       activity.application_name as application,
       coalesce(host(activity.client_addr), 'a local socket') as client,
       extract(epoch from clock_timestamp() - activity.backend_start)::float8 as age_s
from pg_locks as held
join pg_stat_activity as activity using (pid)
where held.locktype = 'advisory'
  and held.granted
  and held.database = (select oid from pg_database where datname = current_database())
  and held.objsubid = 1
  and (held.classid::bigint << 32) | held.objid::bigint = hashtextextended('aigym_db.event' || %(scope)s, %(part)s)

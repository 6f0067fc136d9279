-- The sessions that hold or wait for a lock on a table that blocks reads or writes.
select activity.pid,
       activity.usename as role,
       activity.application_name as application,
       coalesce(host(activity.client_addr), 'a local socket') as client,
       activity.state,
       extract(epoch from clock_timestamp() - activity.xact_start)::float8 as age_s,
       left(activity.query, 200) as query,
       to_regclass(%(table)s)::text as relation
from pg_stat_activity as activity
where activity.pid <> pg_backend_pid()
  and activity.pid in (
    select pid from pg_locks
    where locktype = 'relation'
      and database = (select oid from pg_database where datname = current_database())
      and relation = to_regclass(%(table)s)
      and mode in ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock'))
order by age_s desc nulls last

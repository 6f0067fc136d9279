-- The sessions that block a session, with their locks.
select activity.pid,
       activity.usename as role,
       activity.application_name as application,
       coalesce(host(activity.client_addr), 'a local socket') as client,
       activity.state,
       extract(epoch from clock_timestamp() - activity.xact_start)::float8 as age_s,
       left(activity.query, 200) as query,
       (select string_agg(distinct waiting.relation::regclass::text, ', ')
        from pg_locks as waiting
        where waiting.pid = %(pid)s and not waiting.granted and waiting.relation is not null) as relation
from unnest(pg_blocking_pids(%(pid)s)) as blocking (pid)
join pg_stat_activity as activity on activity.pid = blocking.pid
union all
-- A prepared transaction has no session; PostgreSQL reports pid 0 for all of them.
select 0, owner, format('prepared transaction %%L', gid), 'no session', 'prepared',
       extract(epoch from clock_timestamp() - prepared)::float8, format('end it with rollback prepared %%L', gid), null
from pg_prepared_xacts
where database = current_database() and 0 = any (pg_blocking_pids(%(pid)s))

-- The open transactions for which a statement with CONCURRENTLY has to wait.
select 0 as pid, owner as role, format('prepared transaction %L', gid) as application, 'no session' as client,
       'prepared' as state, extract(epoch from clock_timestamp() - prepared)::float8 as age_s,
       format('end it with rollback prepared %L', gid) as query
from pg_prepared_xacts
where database = current_database()
union all
select pid,
       usename as role,
       application_name as application,
       coalesce(host(client_addr), 'a local socket') as client,
       state,
       extract(epoch from clock_timestamp() - xact_start)::float8 as age_s,
       left(query, 200) as query
from pg_stat_activity
where datname = current_database()
  and backend_type = 'client backend'
  and pid <> pg_backend_pid()
  and xact_start < clock_timestamp() - interval '1 second'
order by age_s desc

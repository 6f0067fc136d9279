-- A transaction of this database that has been open for a long time.
-- code: HLT05
-- hint: End it in the client, or with `select pg_terminate_backend(pid)`; set idle_in_transaction_session_timeout.
-- unit: seconds
-- role: pg_read_all_stats
-- breaks: after 10 minutes: begin; select pg_catalog.pg_current_xact_id()
-- finding: warning: is idle in transaction
-- breaks: after 2 hours: begin; select pg_catalog.pg_current_xact_id()
-- finding: critical: is idle in transaction
-- An open transaction keeps its locks, and VACUUM cannot remove rows that were deleted after its beginning. The oldest
-- transaction is always measured. Thresholds: idle in transaction 5 minutes (warning) and 1 hour (critical), since the
-- last statement; any transaction 1 hour and 6 hours, since its beginning, which a nightly dump may need.
select
    m.severity,
    'pid ' || m.pid as object,
    'The transaction of pid ' || m.pid || ' (' || m.client || ') '
        || case when m.idle then 'is idle in transaction for ' || (m.idle_s / 60)::bigint || ' min, and ' else '' end
        || 'has been open for ' || (m.open_s / 60)::bigint || ' min.' as message,
    m.open_s as value
from (
    select
        t.pid,
        t.client,
        t.idle,
        t.idle_s,
        t.open_s,
        -- In seconds; chosen by this project, see the page.
        case
            when t.idle and t.idle_s >= 3600 or t.open_s >= 21600 then 'critical'
            when t.idle and t.idle_s >= 300 or t.open_s >= 3600 then 'warning'
            else 'ok'
        end as severity,
        pg_catalog.row_number() over (order by t.open_s desc, t.pid) as rank
    from (
        select
            a.pid,
            coalesce(a.usename, 'no role')
                || case when a.application_name <> '' then ', ' || a.application_name else '' end as client,
            a.state like 'idle in transaction%%' as idle,
            extract(epoch from c.at - a.state_change)::double precision as idle_s,
            extract(epoch from c.at - a.xact_start)::double precision as open_s
        from pg_catalog.pg_stat_activity as a
        cross join (select pg_catalog.clock_timestamp() + %(ahead)s::interval as at) as c
        where a.datname = pg_catalog.current_database()
            and a.backend_type = 'client backend'
            and a.pid <> pg_catalog.pg_backend_pid()
            and a.xact_start is not null
    ) as t
) as m
where m.severity <> 'ok' or m.rank = 1

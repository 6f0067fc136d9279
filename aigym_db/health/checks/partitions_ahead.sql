-- The time until a range-partitioned table has no partition for new rows.
-- code: HLT09
-- hint: Create the next partitions, and check the job that creates them.
-- unit: days
-- breaks: after 40 days: select
-- finding: warning: The partitions of app.days end in
-- breaks: after 64 days: select
-- finding: critical: The partitions of app.days end in
-- breaks: after 120 days: select
-- finding: critical: app.days has no partition for the current time: new rows are rejected
-- breaks: after 430 days: create table app.days_other partition of app.days default
-- finding: critical: new rows are stored in the default partition
-- breaks: after 41 days: do $$ begin
--       execute format('create table app.days_overflow partition of app.days for values from (%L) to (maxvalue)',
--         current_date + 70);
--     end $$
-- finding: warning: The partitions of app.days end in
-- breaks: after 430 days: do $$ begin
--       execute format('create table app.days_overflow partition of app.days for values from (%L) to (maxvalue)',
--         current_date + 70);
--     end $$
-- finding: critical: new rows are stored in the overflow partition
-- breaks: do $$ begin
--       execute format('create table app.days_3 partition of app.days for values from (%L) to (%L)',
--         current_date + 70, current_date + 100);
--       execute format('alter table app.days detach partition app.days_2');
--     end $$
-- finding: warning: The partitions of app.days end in
-- breaks: create table app.empty (day timestamptz) partition by range (day)
-- finding: critical: app.empty has no partition for the current time
-- Without a partition for the current time an INSERT fails, or its row is stored in the default partition or in the
-- overflow partition: one that ends at MAXVALUE and begins at the end of a bounded one. The time ends at the first gap.
-- Thresholds, whichever is shorter: 30 days or twice the width of the newest partition (warning); 7 days or half of that
-- width (critical). A table with an overflow partition is maintained by `aigym-db partitions`, which creates 13 partitions
-- ahead, 60 of a day: the warning begins at half of them. Measured: tables partitioned by one column of the type date,
-- timestamp or timestamptz, in UTC; of nested ones the outermost.
with partitioned as (
    select
        c.oid,
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) as name,
        p.partdefid <> 0 as has_default
    from pg_catalog.pg_partitioned_table as p
    join pg_catalog.pg_class as c on c.oid = p.partrelid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
    where p.partstrat = 'r'
        and p.partnatts = 1
        and a.atttypid in ('pg_catalog.date'::regtype, 'pg_catalog.timestamp'::regtype, 'pg_catalog.timestamptz'::regtype)
        and not exists (
            select from pg_catalog.pg_inherits as h
            join pg_catalog.pg_partitioned_table as o on o.partrelid = h.inhparent
            where h.inhrelid = c.oid and o.partstrat = 'r'
        )
        and n.nspname <> all (%(ignored)s::text[])
),

bounds as (
    select
        i.inhparent as parent,
        -- With the table's oid instead of 0, pg_get_expr waits for its lock.
        pg_catalog.pg_get_expr(c.relpartbound, 0) as bound
    from partitioned as t
    join pg_catalog.pg_inherits as i on i.inhparent = t.oid and not i.inhdetachpending
    join pg_catalog.pg_class as c on c.oid = i.inhrelid
),

bounded as (
    select
        b.parent,
        coalesce(pg_catalog."substring"(b.bound, 'FROM \(''([^'']*)''\)'), '-infinity')::timestamptz as lower,
        coalesce(pg_catalog."substring"(b.bound, 'TO \(''([^'']*)''\)'), 'infinity')::timestamptz as upper
    from bounds as b
    where b.bound <> 'DEFAULT'
),

ranges as (
    select
        o.*,
        o.upper = 'infinity' and exists (
            select from bounded as p
            where p.parent = o.parent and p.upper = o.lower and p.lower <> '-infinity'
        ) as is_overflow
    from bounded as o
),

gaps as (
    select
        r.*,
        r.lower is distinct from pg_catalog.lag(r.upper) over (partition by r.parent order by r.lower) as after_gap
    from ranges as r
    where not r.is_overflow
),

numbered as (
    select
        g.*,
        pg_catalog.count(*) filter (where g.after_gap) over (partition by g.parent order by g.lower) as series
    from gaps as g
),

headroom as (
    select
        t.name,
        t.has_default,
        exists (select from ranges as o where o.parent = t.oid and o.is_overflow) as has_overflow,
        s.upper as ends_at,
        case
            when s.upper is null then 0
            when s.upper <> 'infinity' then extract(epoch from s.upper - k.at) / 86400
        end as days,
        w.days as width_days
    from partitioned as t
    cross join (select pg_catalog.clock_timestamp() + %(ahead)s::interval as at) as k
    left join lateral (
        select pg_catalog.max(u.upper) as upper
        from numbered as u
        where u.parent = t.oid
        group by u.series
        having pg_catalog.min(u.lower) <= k.at and pg_catalog.max(u.upper) > k.at
    ) as s on true
    left join lateral (
        select extract(epoch from u.upper - u.lower) / 86400 as days
        from ranges as u
        where u.parent = t.oid and pg_catalog.isfinite(u.lower) and pg_catalog.isfinite(u.upper)
        order by u.upper desc
        limit 1
    ) as w on true
)

select
    case
        -- In days; chosen by this project, see the page.
        when h.days <= least(7, h.width_days / 2) then 'critical'
        when h.days <= case
            when not h.has_overflow then least(30, h.width_days * 2)
            when h.width_days < 2 then 30
            else h.width_days * 6.5
        end then 'warning'
        else 'ok'
    end as severity,
    h.name as object,
    case
        when h.days = 0
            then 'The table ' || h.name || ' has no partition for the current time: new rows are '
                || case
                    when h.has_default then 'stored in the default partition.'
                    when h.has_overflow then 'stored in the overflow partition.'
                    else 'rejected.'
                end
        when h.days is null then 'The partitions of ' || h.name || ' have no end.'
        else 'The partitions of ' || h.name || ' end in ' || pg_catalog.round(h.days, 1) || ' days, on '
            || pg_catalog.to_char(h.ends_at, 'YYYY-MM-DD') || '.'
    end as message,
    h.days::double precision as value
from headroom as h

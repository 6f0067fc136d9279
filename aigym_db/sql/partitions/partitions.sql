-- The partitions of `tables`: bounds in UTC, null where unbounded or outside the years 1 to 9999, whether a detach is pending, and the estimated rows.
select
    n.nspname || '.' || c.relname as parent,
    pn.nspname,
    pc.relname,
    b.bound = 'DEFAULT' as is_default,
    case when e.lower >= '0001-01-02' then least(e.lower, '9999-12-30') end as lower,
    case when e.upper <= '9999-12-30' then greatest(e.upper, '0001-01-02') end as upper,
    i.inhdetachpending,
    greatest(pc.reltuples, pg_stat_get_live_tuples(pc.oid), 0)::bigint as rows
from pg_inherits as i
join pg_class as c on c.oid = i.inhparent
join pg_namespace as n on n.oid = c.relnamespace
join pg_class as pc on pc.oid = i.inhrelid
join pg_namespace as pn on pn.oid = pc.relnamespace
cross join lateral pg_get_expr(pc.relpartbound, 0) as b (bound)
cross join lateral (
    select
        substring(b.bound from 'FROM \(''([^'']*)''\)')::timestamptz as lower,
        substring(b.bound from 'TO \(''([^'']*)''\)')::timestamptz as upper
) as e
where n.nspname || '.' || c.relname = any(%(tables)s)
order by 1, 5 nulls first, 3

-- The tables in `schema` whose name begins with `prefix` and that are no partitions, with their comments.
select
    c.relname,
    obj_description(c.oid, 'pg_class') as comment,
    greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint as rows
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = %(schema)s
    and starts_with(c.relname, %(prefix)s)
    and c.relkind = 'r'
    and not c.relispartition
order by 1

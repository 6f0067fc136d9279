-- The tables whose changes are counted: by position, each table or partition and the name of its root.
create temporary table if not exists aigym_counted_table as
select
    row_number() over (order by c.oid) as position,
    c.oid as table_oid,
    root_schema.nspname || '.' || root.relname as name
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_class root on root.oid = coalesce(pg_partition_root(c.oid), c.oid)
join pg_namespace root_schema on root_schema.oid = root.relnamespace
where c.relkind = 'r'
  and n.nspname !~ '^pg_'
  and n.nspname not in ('information_schema', 'aigym_db')

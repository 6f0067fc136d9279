-- What a write to a table can change besides its rows: the functions of its triggers, and the tables that foreign keys
-- change with it.
select n.nspname || '.' || c.relname as name, t.tgfoid::bigint as function, null as other
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and not c.relispartition
union all
select n.nspname || '.' || c.relname, null, other_schema.nspname || '.' || other.relname
from pg_constraint k
join pg_class c on c.oid = k.confrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_class other on other.oid = k.conrelid
join pg_namespace other_schema on other_schema.oid = other.relnamespace
where k.contype = 'f' and not c.relispartition and not other.relispartition
  and (k.confdeltype in ('c', 'n', 'd') or k.confupdtype in ('c', 'n', 'd'))

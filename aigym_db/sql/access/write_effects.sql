-- What a command on a table can change besides its rows: the functions of its triggers, and the tables that foreign keys
-- change with it.
select
    n.nspname || '.' || c.relname as name,
    commands.name as command,
    t.tgfoid::bigint as function,
    null as other
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
join (values ('insert', 4), ('delete', 8), ('update', 16)) as commands (name, bit) on t.tgtype & commands.bit <> 0
where not t.tgisinternal and not c.relispartition
union all
select n.nspname || '.' || c.relname, commands.name, null, other_schema.nspname || '.' || other.relname
from pg_constraint k
join pg_class c on c.oid = k.confrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_class other on other.oid = k.conrelid
join pg_namespace other_schema on other_schema.oid = other.relnamespace
cross join lateral (values ('delete', k.confdeltype), ('update', k.confupdtype)) as commands (name, action)
where k.contype = 'f' and not c.relispartition and not other.relispartition and commands.action in ('c', 'n', 'd')

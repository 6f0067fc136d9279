-- The indexes on the tables of a REINDEX: whether each is usable, requested, and named like a transient index.
with named as (
  select %(relation)s::bigint::oid as oid
  union
  select relid from pg_partition_tree(%(relation)s::bigint::oid::regclass)
), owners as (
  select case %(scope)s::text when 'index' then index.indrelid else named.oid end as oid
  from named left join pg_index as index on index.indexrelid = named.oid
  where %(scope)s::text in ('index', 'table')
  union
  select relation.oid
  from pg_class as relation
  join pg_namespace as namespace on namespace.oid = relation.relnamespace
  where relation.relkind in ('r', 'm')
    and relation.oid >= 16384
    and (%(scope)s::text = 'database' or %(scope)s::text = 'schema' and namespace.nspname = %(schema)s::text::name)
), tables as (
  select oid from owners
  union
  select relation.reltoastrelid
  from pg_class as relation join owners on owners.oid = relation.oid
  where relation.reltoastrelid <> 0 and %(scope)s::text <> 'index'
), indexes as (
  select index.*,
         relation.relname::text as name,
         format('%%I.%%I', namespace.nspname, relation.relname) as full_name,
         index.indisvalid and index.indisready and index.indislive as usable,
         %(scope)s::text <> 'index' or exists (select from named where named.oid = index.indexrelid) as requested,
         has_schema_privilege(namespace.oid, 'usage') as droppable,
         regexp_replace(relation.relname::text, '_cc(new|old)[0-9]*$', '') as base
  from tables
  join pg_index as index on index.indrelid = tables.oid
  join pg_class as relation on relation.oid = index.indexrelid and relation.relkind = 'i'
  join pg_namespace as namespace on namespace.oid = relation.relnamespace
)
select indexes.indexrelid::bigint,
       indexes.full_name,
       indexes.usable,
       indexes.requested,
       not indexes.usable and indexes.base <> indexes.name and exists (
         select from indexes as rebuilt
         where rebuilt.indrelid = indexes.indrelid
           and rebuilt.requested
           and rebuilt.indexrelid <> indexes.indexrelid
           -- PostgreSQL truncates a long name so that the suffix fits.
           and (rebuilt.name = indexes.base
                or starts_with(rebuilt.name, indexes.base) and octet_length(indexes.name) >= 60)),
       (select building.pid
        from pg_stat_progress_create_index as building
        where building.datid = (select oid from pg_database where datname = current_database())
          and not indexes.usable
          and (building.index_relid = indexes.indexrelid
               -- An unprivileged role can read only the process id and the locks of other users' sessions.
               or building.relid is null and exists (
                 select from pg_locks as held
                 where held.pid = building.pid and held.relation = indexes.indrelid and held.granted
                   and held.mode = 'ShareUpdateExclusiveLock'))
        limit 1),
       indexes.droppable
from indexes
order by indexes.full_name

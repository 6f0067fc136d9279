-- The relation that has the name of an index: kind, indexed table, whether it is usable, definition, building session.
select named.oid::bigint,
       format('%%I.%%I', namespace.nspname, named.relname),
       case
         when index.indexrelid is not null then
           format('%%s of %%s', case named.relkind when 'I' then 'a partitioned index' else 'an index' end,
                  index.indrelid::regclass)
         when named.relkind = 'v' then 'a view'
         when named.relkind = 'm' then 'a materialized view'
         when named.relkind = 'S' then 'a sequence'
         when named.relkind = 'c' then 'a type'
         else 'a table'
       end,
       index.indrelid::bigint,
       coalesce(index.indisvalid and index.indisready and index.indislive, false),
       case when index.indexrelid is not null then pg_get_indexdef(named.oid) else '' end,
       named.relkind = 'I',
       (select building.pid
        from pg_stat_progress_create_index as building
        where building.datid = (select oid from pg_database where datname = current_database())
          and (building.index_relid = named.oid
               -- An unprivileged role can read only the process id and the locks of other users' sessions.
               or building.relid is null and exists (
                 select from pg_locks as held
                 where held.pid = building.pid and held.relation = index.indrelid and held.granted
                   and held.mode = 'ShareUpdateExclusiveLock'))
        limit 1)
from pg_class as tables
join pg_namespace as namespace on namespace.oid = tables.relnamespace
join pg_class as named on named.relnamespace = tables.relnamespace and named.relname = %(name)s::text::name
left join pg_index as index on index.indexrelid = named.oid
where tables.oid = %(table)s::bigint::oid

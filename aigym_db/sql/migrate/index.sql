-- Is there an index of this name beside this table, can queries use it, and is somebody building it now?
select index.indexrelid::bigint as oid,
       index.indisvalid and index.indisready and index.indislive as usable,
       (select pid from pg_stat_progress_create_index where index_relid = index.indexrelid) as builder
from pg_class as tables
join pg_class as named on named.relnamespace = tables.relnamespace and named.relname = %(name)s
join pg_index as index on index.indexrelid = named.oid
where tables.oid = to_regclass(%(table)s)

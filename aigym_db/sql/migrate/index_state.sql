-- The name of an index, and whether it is usable; no row if it does not exist.
select format('%%I.%%I', namespace.nspname, relation.relname),
       index.indisvalid and index.indisready and index.indislive
from pg_index as index
join pg_class as relation on relation.oid = index.indexrelid
join pg_namespace as namespace on namespace.oid = relation.relnamespace
where index.indexrelid = %(index)s::bigint::oid

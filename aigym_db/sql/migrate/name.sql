-- The schema-qualified name of a relation.
select format('%%I.%%I', namespace.nspname, relation.relname)
from pg_class as relation
join pg_namespace as namespace on namespace.oid = relation.relnamespace
where relation.oid = %(relation)s::bigint::oid

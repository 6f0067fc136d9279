-- The OID of the relation to which a name refers, also without the USAGE privilege on its schema.
select relation.oid::bigint
from pg_class as relation
join pg_namespace as namespace on namespace.oid = relation.relnamespace
where relation.relname = %(name)s::text::name
  and (namespace.nspname = %(schema)s::text::name
       or %(schema)s::text is null and namespace.nspname = any (current_schemas(true)))
order by array_position(current_schemas(true), namespace.nspname)
limit 1

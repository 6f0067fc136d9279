-- Which relation does a name mean, also where one may not look into its schema?
select relation.oid::bigint
from pg_class as relation
join pg_namespace as namespace on namespace.oid = relation.relnamespace
where relation.relname = %(name)s::text::name
  and (namespace.nspname = %(schema)s::text::name
       or %(schema)s::text is null and namespace.nspname = any (current_schemas(true)))
order by array_position(current_schemas(true), namespace.nspname)
limit 1

-- The oids of the parents and children of dependencies that earlier statements of the plan create; null for a parent that
-- does not exist yet, no row for such a child.
select later.number, parent.oid::bigint, child.oid::bigint
from jsonb_to_recordset(%(dependencies)s::jsonb)
  as later (number integer, "by" text, parent_schema text, parent text, child_schema text, child text)
left join lateral (
  select oid from pg_namespace where later."by" = 'schema' and nspname = later.parent::name
  union all
  (select relation.oid
   from pg_class as relation
   join pg_namespace as namespace on namespace.oid = relation.relnamespace
   where later."by" = 'relation' and relation.relname = later.parent::name
     and (namespace.nspname = later.parent_schema::name
          or later.parent_schema is null and namespace.nspname = any (current_schemas(true)))
   order by array_position(current_schemas(true), namespace.nspname)
   limit 1)
) as parent on true
join lateral (
  select relation.oid
  from pg_class as relation
  join pg_namespace as namespace on namespace.oid = relation.relnamespace
  where relation.relname = later.child::name
    and (namespace.nspname = later.child_schema::name
         or later.child_schema is null and namespace.nspname = any (current_schemas(true)))
  order by array_position(current_schemas(true), namespace.nspname)
  limit 1
) as child on true

-- The oids of the parents and children of dependencies that earlier statements of the plan create; null for a parent that
-- does not exist yet, no row for such a child.
select planned.number, parent.oid::bigint, child.oid::bigint
from jsonb_to_recordset(%(dependencies)s::jsonb)
  as planned (number integer, "by" text, parent_schema text, parent text, child_schema text, child text)
left join lateral (
  select oid from pg_namespace where planned."by" = 'schema' and nspname = planned.parent::name
  union all
  (select relation.oid
   from pg_class as relation
   join pg_namespace as namespace on namespace.oid = relation.relnamespace
   where planned."by" = 'relation' and relation.relname = planned.parent::name
     and (namespace.nspname = planned.parent_schema::name
          or planned.parent_schema is null and namespace.nspname = any (current_schemas(true)))
   order by array_position(current_schemas(true), namespace.nspname)
   limit 1)
) as parent on true
join lateral (
  select relation.oid
  from pg_class as relation
  join pg_namespace as namespace on namespace.oid = relation.relnamespace
  where relation.relname = planned.child::name
    and (namespace.nspname = planned.child_schema::name
         or planned.child_schema is null and namespace.nspname = any (current_schemas(true)))
  order by array_position(current_schemas(true), namespace.nspname)
  limit 1
) as child on true

-- The tables with rows that are deleted or changed when rows of this table are deleted.
with recursive referring as (
  select conrelid as object, confdeltype as action
  from pg_constraint
  where contype = 'f' and confrelid = %(table)s::oid and (%(truncates)s or confdeltype in ('c', 'n', 'd'))
  union
  select next.conrelid, next.confdeltype
  from referring
  join pg_constraint as next on next.contype = 'f' and next.confrelid = referring.object
  where %(truncates)s or referring.action = 'c' and next.confdeltype in ('c', 'n', 'd')
)
select namespace.nspname, relation.relname, bool_or(%(truncates)s or referring.action = 'c')
from referring
join pg_class as relation on relation.oid = referring.object
join pg_namespace as namespace on namespace.oid = relation.relnamespace
where relation.oid <> %(table)s::oid
  and not relation.relispartition
  and (relation.relkind = 'p' or relation.relhassubclass or pg_relation_size(relation.oid) > 0)
group by namespace.nspname, relation.relname
order by namespace.nspname, relation.relname

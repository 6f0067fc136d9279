-- The tables, columns and sequences with data that are dropped together with these objects.
with recursive roots as (
  select *
  from jsonb_to_recordset(%(roots)s::jsonb)
    as roots (number integer, kind text, cascade boolean, class oid, object oid, sub integer)
), planned as (
  -- Dependencies that earlier statements of the plan create.
  select *
  from jsonb_to_recordset(%(dependencies)s::jsonb)
    as planned (number integer, class oid, parent oid, child oid, whole boolean)
), reached as (
  select * from roots
  union
  select reached.number, reached.kind, reached.cascade, next.class, next.object, next.sub
  from reached
  cross join lateral (
    select classid, objid, objsubid
    from pg_depend
    where refclassid = reached.class and refobjid = reached.object
      and (reached.sub = 0 or refobjsubid = reached.sub)
      and (deptype in ('a', 'i', 'P', 'S', 'e', 'x') or deptype = 'n' and reached.cascade)
    union all
    -- CASCADE to an internal part also drops the object to which the part belongs.
    select refclassid, refobjid, refobjsubid
    from pg_depend
    where reached.cascade and classid = reached.class and objid = reached.object and objsubid = reached.sub
      and deptype in ('i', 'e')
    union all
    select 'pg_class'::regclass, planned.child, 0
    from planned
    where planned.number = reached.number and planned.class = reached.class and planned.parent = reached.object
      and reached.sub = 0
      and (planned.whole or reached.cascade)
  ) as next (class, object, sub)
), objects as (
  select distinct on (object, sub) number, kind, object, sub
  from reached
  where class = 'pg_class'::regclass
  order by object, sub, number
)
select objects.number,
       relation.relkind::text as kind,
       namespace.nspname as schema,
       relation.relname as name,
       attribute.attname as "column",
       case
         when relation.relkind = 'S' and has_sequence_privilege(relation.oid, 'usage, select')
         then pg_sequence_last_value(relation.oid)
       end as last_value
from objects
join pg_class as relation on relation.oid = objects.object
join pg_namespace as namespace on namespace.oid = relation.relnamespace
left join pg_attribute as attribute
  on attribute.attrelid = relation.oid and attribute.attnum = objects.sub and objects.sub > 0
where case relation.relkind
        when 'r' then relation.relhassubclass or pg_relation_size(relation.oid) > 0
        when 'p' then true
        when 'S' then not exists (
          select from pg_depend as owner
          where owner.classid = 'pg_class'::regclass and owner.objid = relation.oid
            and owner.refclassid = 'pg_class'::regclass and owner.deptype in ('a', 'i'))
        else false
      end
  -- Generated values can be computed again, unless their source is dropped too.
  and (coalesce(attribute.attgenerated, '') = '' or objects.kind <> 'relation')
  -- A column is dropped with its table, and the rows of a child are counted with those of its parent.
  and (objects.sub = 0 or not exists (select from objects as whole where whole.object = relation.oid and whole.sub = 0))
  and (objects.sub > 0 or not exists (
    select from pg_inherits join objects as parent on parent.object = inhparent and parent.sub = 0
    where inhrelid = relation.oid))
order by objects.number, namespace.nspname, relation.relname, attribute.attname

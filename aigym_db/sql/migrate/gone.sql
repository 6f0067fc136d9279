-- The tables, columns and sequences with data that are dropped together with these objects, and the objects that do not exist.
with recursive wanted as (
  select wanted.*
  from jsonb_to_recordset(%(wanted)s::jsonb)
    as wanted (number integer, kind text, schema text, name text, "column" text, cascade boolean, class oid, object oid)
), adopted as (
  -- Objects that earlier statements have made dependent on a table.
  select adopted.*, parent.oid as parent_oid, child.oid as child_oid
  from jsonb_to_recordset(%(adopted)s::jsonb)
    as adopted (number integer, "by" text, parent_schema text, parent text, child_schema text, child text, whole boolean)
  left join lateral (
    select oid from pg_namespace where adopted."by" = 'schema' and nspname = adopted.parent::name
    union all
    (select relation.oid
     from pg_class as relation
     join pg_namespace as namespace on namespace.oid = relation.relnamespace
     where adopted."by" = 'relation' and relation.relname = adopted.parent::name
       and (namespace.nspname = adopted.parent_schema::name
            or adopted.parent_schema is null and namespace.nspname = any (current_schemas(true)))
     order by array_position(current_schemas(true), namespace.nspname)
     limit 1)
  ) as parent on true
  join lateral (
    select relation.oid
    from pg_class as relation
    join pg_namespace as namespace on namespace.oid = relation.relnamespace
    where relation.relname = adopted.child::name
      and (namespace.nspname = adopted.child_schema::name
           or adopted.child_schema is null and namespace.nspname = any (current_schemas(true)))
    order by array_position(current_schemas(true), namespace.nspname)
    limit 1
  ) as child on true
), schemas as (
  -- Not to_regclass: it fails without the USAGE privilege on the schema.
  select wanted.number, namespace.oid, array_position(current_schemas(true), namespace.nspname) as position
  from wanted
  join pg_namespace as namespace
    on namespace.nspname = wanted.schema::name
    or wanted.schema is null and namespace.nspname = any (current_schemas(true))
), relations as (
  select distinct on (wanted.number) wanted.*, relation.oid as relation
  from wanted
  join schemas using (number)
  join pg_class as relation on relation.relnamespace = schemas.oid and relation.relname = wanted.name::name
  where wanted.kind = 'relation'
  order by wanted.number, schemas.position
), found as (
  select number, cascade, 'pg_class'::regclass::oid as class, relation as object, coalesce(attnum::integer, 0) as sub
  from relations
  left join pg_attribute on attrelid = relation and attname = relations.column::name and not attisdropped
  where relations.column is null or attnum is not null
  union all
  (select distinct on (wanted.number) wanted.number, wanted.cascade, 'pg_type'::regclass::oid, type.oid, 0
   from wanted
   join schemas using (number)
   join pg_type as type on type.typnamespace = schemas.oid and type.typname = wanted.name::name
   where wanted.kind = 'type'
   order by wanted.number, schemas.position)
  union all
  select number, cascade, 'pg_namespace'::regclass, namespace.oid, 0
  from wanted join pg_namespace as namespace on namespace.nspname = wanted.name::name
  where kind = 'schema'
  union all
  select number, cascade, 'pg_extension'::regclass, extension.oid, 0
  from wanted join pg_extension as extension on extension.extname = wanted.name::name
  where kind = 'extension'
  union all
  select number, cascade, 'pg_authid'::regclass, oid, 0
  from wanted join pg_roles on rolname = wanted.name::name
  where kind = 'owned'
  union all
  select number, cascade, class, object, 0
  from wanted
  where kind = 'object' and object is not null
), gone as (
  select * from found
  union all
  select number, cascade, owned.classid, owned.objid, owned.objsubid
  from found
  join pg_shdepend as owned
    on owned.refclassid = 'pg_authid'::regclass and owned.refobjid = found.object and owned.deptype = 'o'
   and owned.dbid = (select oid from pg_database where datname = current_database())
  where found.class = 'pg_authid'::regclass
  union all
  -- A parent that does not exist yet.
  select wanted.number, wanted.cascade, 'pg_class'::regclass, adopted.child_oid, 0
  from wanted
  join adopted on adopted.number = wanted.number and adopted."by" = wanted.kind and adopted.parent = wanted.name
   and coalesce(adopted.parent_schema = wanted.schema, true)
  where adopted.parent_oid is null and wanted.column is null and (wanted.cascade or adopted.whole)
), reached as (
  select * from gone
  union
  select reached.number, reached.cascade, next.class, next.object, next.sub
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
    select 'pg_class'::regclass, child_oid, 0
    from adopted
    where adopted.number = reached.number and parent_oid = reached.object and reached.sub = 0
      and reached.class = case "by" when 'schema' then 'pg_namespace'::regclass else 'pg_class'::regclass end
      and (whole or reached.cascade)
  ) as next (class, object, sub)
), objects as (
  select min(number) as number, object, sub
  from reached
  where class = 'pg_class'::regclass
  group by object, sub
)
select objects.number,
       relation.relkind::text as kind,
       namespace.nspname as schema,
       relation.relname as name,
       attribute.attname as "column",
       case
         when relation.relkind = 'S' and has_sequence_privilege(relation.oid, 'usage, select')
         then pg_sequence_last_value(relation.oid)
       end as reached
from objects
join wanted using (number)
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
  and (coalesce(attribute.attgenerated, '') = '' or wanted.kind <> 'relation')
  -- A column is dropped with its table, and the rows of a child are counted with those of its parent.
  and (objects.sub = 0 or not exists (select from objects as whole where whole.object = relation.oid and whole.sub = 0))
  and (objects.sub > 0 or not exists (
    select from pg_inherits join objects as parent on parent.object = inhparent and parent.sub = 0
    where inhrelid = relation.oid))
union all
select wanted.number, null, null, null, null, null
from wanted
where not exists (select from found where found.number = wanted.number)
  and not exists (select from relations where relations.number = wanted.number)
order by number, schema, name, "column"

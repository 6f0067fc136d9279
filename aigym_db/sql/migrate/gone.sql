-- Which tables, columns and sequences that hold something would go when these objects are dropped?
with recursive wanted as (
  select wanted.*
  from jsonb_to_recordset(%(wanted)s::jsonb)
    as wanted (number integer, kind text, schema text, name text, "column" text, cascade boolean)
), schemas as (
  -- Not to_regclass: it fails where a role may not look into a schema.
  select wanted.number, namespace.oid, array_position(current_schemas(true), namespace.nspname) as position
  from wanted
  join pg_namespace as namespace
    on namespace.nspname = wanted.schema::name
    or wanted.schema is null and namespace.nspname = any (current_schemas(true))
), found as (
  (select distinct on (wanted.number)
          wanted.number, wanted.cascade, 'pg_class'::regclass::oid as class, relation.oid as object,
          coalesce(attribute.attnum::integer, 0) as sub
   from wanted
   join schemas using (number)
   join pg_class as relation on relation.relnamespace = schemas.oid and relation.relname = wanted.name::name
   left join pg_attribute as attribute
     on attribute.attrelid = relation.oid and attribute.attname = wanted.column::name and not attribute.attisdropped
   where wanted.kind = 'relation' and (wanted.column is null or attribute.attnum is not null)
   order by wanted.number, schemas.position)
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
  select number, cascade, owned.classid, owned.objid, owned.objsubid
  from wanted
  join pg_roles on pg_roles.rolname = wanted.name::name
  join pg_shdepend as owned
    on owned.refclassid = 'pg_authid'::regclass and owned.refobjid = pg_roles.oid and owned.deptype = 'o'
   and owned.dbid = (select oid from pg_database where datname = current_database())
  where kind = 'owned'
), gone as (
  select * from found
  union
  select gone.number, gone.cascade, depends.classid, depends.objid, depends.objsubid
  from gone
  join pg_depend as depends on depends.refclassid = gone.class and depends.refobjid = gone.object
  where (gone.sub = 0 or depends.refobjsubid = gone.sub)
    and (depends.deptype in ('a', 'i', 'P', 'S', 'e', 'x') or depends.deptype = 'n' and gone.cascade)
), objects as (
  select min(number) as number, object, sub
  from gone
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
  -- What a table computes by itself can be computed again.
  and coalesce(attribute.attgenerated, '') = ''
  -- A column goes with its table, and the rows of a child are counted with those of its parent.
  and (objects.sub = 0 or not exists (select from objects as whole where whole.object = relation.oid and whole.sub = 0))
  and (objects.sub > 0 or not exists (
    select from pg_inherits join objects as parent on parent.object = inhparent and parent.sub = 0
    where inhrelid = relation.oid))
order by objects.number, namespace.nspname, relation.relname, objects.sub

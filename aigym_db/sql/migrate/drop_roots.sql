-- The objects that DROP statements name, as rows of the catalog; for DROP OWNED those that the role owns. The catalog is null
-- for an object that does not exist; a missing column of an existing table has no row.
with named as (
  select named.*
  from jsonb_to_recordset(%(objects)s::jsonb)
    as named (number integer, kind text, schema text, name text, "column" text, class oid, object oid)
), schemas as (
  -- Not to_regclass: it fails without the USAGE privilege on the schema.
  select named.number, namespace.oid, array_position(current_schemas(true), namespace.nspname) as position
  from named
  join pg_namespace as namespace
    on namespace.nspname = named.schema::name
    or named.schema is null and namespace.nspname = any (current_schemas(true))
), relations as (
  select distinct on (named.number) named.*, relation.oid as relation
  from named
  join schemas using (number)
  join pg_class as relation on relation.relnamespace = schemas.oid and relation.relname = named.name::name
  where named.kind = 'relation'
  order by named.number, schemas.position
), resolved as (
  select number, 'pg_class'::regclass::oid as class, relation as object, coalesce(attnum::integer, 0) as sub
  from relations
  left join pg_attribute on attrelid = relation and attname = relations.column::name and not attisdropped
  where relations.column is null or attnum is not null
  union all
  (select distinct on (named.number) named.number, 'pg_type'::regclass::oid, type.oid, 0
   from named
   join schemas using (number)
   join pg_type as type on type.typnamespace = schemas.oid and type.typname = named.name::name
   where named.kind = 'type'
   order by named.number, schemas.position)
  union all
  select number, 'pg_namespace'::regclass, namespace.oid, 0
  from named join pg_namespace as namespace on namespace.nspname = named.name::name
  where kind = 'schema'
  union all
  select number, 'pg_extension'::regclass, extension.oid, 0
  from named join pg_extension as extension on extension.extname = named.name::name
  where kind = 'extension'
  union all
  select number, 'pg_authid'::regclass, oid, 0
  from named join pg_roles on rolname = named.name::name
  where kind = 'owned'
  union all
  select number, class, object, 0
  from named
  where kind = 'object' and object is not null
)
select number, class::bigint, object::bigint, sub
from resolved
union all
select number, owned.classid::bigint, owned.objid::bigint, owned.objsubid
from resolved
join pg_shdepend as owned
  on owned.refclassid = 'pg_authid'::regclass and owned.refobjid = resolved.object and owned.deptype = 'o'
 and owned.dbid = (select oid from pg_database where datname = current_database())
where resolved.class = 'pg_authid'::regclass
union all
select named.number, null, null, null
from named
where not exists (select from resolved where resolved.number = named.number)
  and not exists (select from relations where relations.number = named.number)

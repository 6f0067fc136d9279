-- The tables that store the rows of this one, with pages, rows and file of each.
with recursive below (id) as (
  select to_regclass(%(table)s)::oid
  union
  select inhrelid
  from pg_inherits
  join below on below.id = inhparent
  where %(inherit)s
)
select relation.oid::bigint,
       relation.oid::regclass::text as name,
       relation.relkind::text as kind,
       coalesce(pg_relation_filenode(relation.oid), 0)::bigint as file,
       coalesce(pg_relation_size(relation.oid) / current_setting('block_size')::bigint, 0) as pages,
       case when relation.reltuples > 0 and relation.relpages > 0 then relation.reltuples / relation.relpages end::float8
         as rows_a_page
from below
join pg_class as relation on relation.oid = below.id
order by relation.oid

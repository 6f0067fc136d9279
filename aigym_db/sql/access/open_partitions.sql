-- Partitions that the roles can address directly, bypassing the policies of the parent.
select r.rolname::text, n.nspname || '.' || c.relname, pg_partition_root(c.oid)::regclass::text
from pg_roles r
cross join pg_class c
join pg_namespace n on n.oid = c.relnamespace
where r.rolname = any (%(roles)s::text[])
  and c.relispartition
  and c.relkind in ('r', 'p')
  and n.nspname <> all (%(outside)s::text[])
  and has_schema_privilege(r.oid, n.oid, 'usage')
  and (
      has_any_column_privilege(r.oid, c.oid, 'select')
      or has_any_column_privilege(r.oid, c.oid, 'insert')
      or has_any_column_privilege(r.oid, c.oid, 'update')
      or has_table_privilege(r.oid, c.oid, 'delete')
  )
order by 2, 1

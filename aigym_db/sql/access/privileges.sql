-- What each role has been granted on each table, by column where columns can be granted.
select
    r.rolname::text as role,
    n.nspname || '.' || c.relname as name,
    r.rolsuper or r.rolbypassrls as bypasses,
    array(select a.attname::text from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            and usage and has_column_privilege(r.oid, c.oid, a.attnum, 'select') order by a.attnum) as selects,
    array(select a.attname::text from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            and usage and has_column_privilege(r.oid, c.oid, a.attnum, 'insert') order by a.attnum) as inserts,
    array(select a.attname::text from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            and usage and has_column_privilege(r.oid, c.oid, a.attnum, 'update') order by a.attnum) as updates,
    usage and has_table_privilege(r.oid, c.oid, 'delete') as deletes
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_roles r on r.rolname = any (%(roles)s::text[])
cross join lateral (select has_schema_privilege(r.oid, n.oid, 'usage') as usage) as may
where c.relkind in ('r', 'p')
  and not c.relispartition
  and n.nspname !~ '^pg_'
  and n.nspname not in ('information_schema', 'aigym_db')

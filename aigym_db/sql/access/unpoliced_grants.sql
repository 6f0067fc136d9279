-- Privileges of the roles that row-level security does not apply to: TRUNCATE, REFERENCES, TRIGGER.
select r.rolname::text, n.nspname || '.' || c.relname, p.privilege
from pg_roles r
cross join pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join (values ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) as p (privilege)
where r.rolname = any (%(roles)s::text[])
  and c.relkind in ('r', 'p')
  and n.nspname !~ '^pg_'
  and n.nspname not in ('information_schema', 'aigym_db')
  and n.nspname <> all (%(outside)s::text[])
  and has_schema_privilege(r.oid, n.oid, 'usage')
  and has_table_privilege(r.oid, c.oid, p.privilege)
order by 2, 1, 3

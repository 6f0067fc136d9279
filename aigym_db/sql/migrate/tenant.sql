-- Is there a schema of this name?
select from pg_namespace where nspname = %(schema)s

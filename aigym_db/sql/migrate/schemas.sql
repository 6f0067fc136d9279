-- The schemas that may belong to tenants: all but PostgreSQL's own, the ledger's and public.
select nspname
from pg_namespace
where nspname !~ '^pg_' and nspname not in ('information_schema', 'aigym_db', 'public')

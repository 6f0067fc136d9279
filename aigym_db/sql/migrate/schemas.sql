-- Which schemas could be a tenant's: all but PostgreSQL's own, the ledger's and the one of the database itself?
select nspname
from pg_namespace
where nspname !~ '^pg_' and nspname not in ('information_schema', 'aigym_db', 'public')

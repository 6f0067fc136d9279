-- Whether this database has a ledger. Read from the catalog tables: to_regclass may return a cached result.
select exists (
  select
  from pg_class
  join pg_namespace on pg_namespace.oid = pg_class.relnamespace
  where nspname = 'aigym_db'
    and relname = 'applied')

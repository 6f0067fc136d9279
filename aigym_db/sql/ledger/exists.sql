-- Is there a ledger in this database? Read from the tables themselves: to_regclass may still remember that there was none.
select exists (
  select
  from pg_class
  join pg_namespace on pg_namespace.oid = pg_class.relnamespace
  where pg_namespace.nspname = 'aigym_db' and pg_class.relname = 'applied')

-- The missing parts of the ledger and the owner of the existing ones. Read from the catalog tables: to_regclass may
-- return a cached result.
with ledger as (
  select pg_class.oid, relname, pg_get_userbyid(relowner) as owner
  from pg_class
  join pg_namespace on pg_namespace.oid = pg_class.relnamespace
  where pg_namespace.nspname = 'aigym_db')
select 'ledger' as lacking, null as owner
where not exists (select from ledger where relname = 'applied')
union all
select 'scope', owner
from ledger
where relname = 'event'
  and not exists (select from pg_attribute where attrelid = ledger.oid and attname = 'scope' and not attisdropped)

-- The parts of the ledger that are missing or have another format; null if there is no ledger, or if it is complete. Read from
-- the catalog tables: to_regclass may return a cached result.
with ledger as (
  select relation.oid, relation.relname as name
  from pg_class as relation
  join pg_namespace as namespace on namespace.oid = relation.relnamespace
  where namespace.nspname = 'aigym_db' and relation.relname in ('event', 'applied')
  union all
  select type.oid, type.typname
  from pg_type as type
  join pg_namespace as namespace on namespace.oid = type.typnamespace
  where namespace.nspname = 'aigym_db' and type.typname = 'event_kind'
), missing as (
  select number, needed.kind || ' aigym_db.' || needed.name as part
  from (values (1, 'table', 'event'), (2, 'view', 'applied'), (3, 'type', 'event_kind')) as needed (number, kind, name)
  where not exists (select from ledger where ledger.name = needed.name)
  union all
  select 4, 'column ' || needed || ' of aigym_db.event'
  from unnest(array['id', 'kind', 'version', 'name', 'checksum', 'direction', 'statement', 'sql', 'detail', 'duration_ms',
                    'lock_wait_ms', 'git_commit', 'tool_version', 'host', 'backend', 'occurred_at', 'scope']) as needed
  join ledger on ledger.name = 'event'
  where not exists (
    select from pg_attribute
    where attrelid = ledger.oid and attname = needed::name and not attisdropped)
)
select string_agg(part, ', ' order by number, part)
from missing
where exists (select from ledger)

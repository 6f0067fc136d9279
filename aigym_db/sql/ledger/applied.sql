-- The migrations applied to this database, or to a tenant schema of it. Fails if the ledger has another format: without
-- the column scope, or with another label for rollbacks.
select version, name, checksum, applied_at, applied_by
from aigym_db.applied
where scope = %(scope)s
  and 'rollback'::aigym_db.event_kind is not null
order by version

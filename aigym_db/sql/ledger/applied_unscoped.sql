-- The migrations applied to this database, from a ledger without the column scope.
select version, name, checksum, applied_at, applied_by
from aigym_db.applied
order by version

-- Which migrations has this database run? For a ledger that knows no scopes yet.
select version, name, checksum, applied_at, applied_by
from aigym_db.applied
order by version

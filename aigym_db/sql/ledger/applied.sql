-- The migrations applied to this database, or to a tenant schema of it.
select version, name, checksum, applied_at, applied_by
from aigym_db.applied
where scope = %(scope)s
order by version

-- Which migrations has this database run, or one tenant schema of it?
select version, name, checksum, applied_at, applied_by
from aigym_db.applied
where scope = %(scope)s
order by version

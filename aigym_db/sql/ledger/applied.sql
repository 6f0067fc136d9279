-- Which migrations has this database run?
select version, name, checksum, applied_at, applied_by
from aigym_db.applied
order by version

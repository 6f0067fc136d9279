-- Is this table still a partition of that one, and was a detach of it begun?
select inhdetachpending
from pg_inherits
where inhparent = to_regclass(%(parent)s) and inhrelid = to_regclass(%(partition)s)

-- Is this table still a partition of that one, and was a detach of it begun?
select inhdetachpending
from pg_inherits
where inhparent = %(parent)s::bigint::oid and inhrelid = %(partition)s::bigint::oid

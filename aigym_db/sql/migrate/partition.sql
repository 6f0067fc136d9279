-- Whether the detach of a partition is pending; no row if the table is not a partition of that parent.
select inhdetachpending
from pg_inherits
where inhparent = %(parent)s::bigint::oid and inhrelid = %(partition)s::bigint::oid

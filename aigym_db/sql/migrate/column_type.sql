-- The type of a column.
select pg_catalog.format_type(atttypid, atttypmod)
from pg_attribute
where attrelid = %(table)s::oid and attname = %(column)s and attnum > 0 and not attisdropped

-- The columns with a foreign key of one column, and the table that each references.
select n.nspname || '.' || c.relname as name, a.attname::text as column_name, other_schema.nspname || '.' || other.relname as other
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
join pg_class other on other.oid = k.confrelid
join pg_namespace other_schema on other_schema.oid = other.relnamespace
where k.contype = 'f' and cardinality(k.conkey) = 1 and k.conparentid = 0
order by 1, 2

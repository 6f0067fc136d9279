-- Which values have the enumerations?
select typname::text, enumlabel::text
from pg_enum
join pg_type on pg_type.oid = enumtypid
where typnamespace = to_regnamespace('app')
order by 1, enumsortorder

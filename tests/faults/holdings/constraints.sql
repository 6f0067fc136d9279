-- Which constraints are there, and do they hold of every row?
select conname::text, conrelid::regclass::text, convalidated, pg_get_constraintdef(oid)
from pg_constraint
where connamespace = to_regnamespace('app')
order by 2, 1

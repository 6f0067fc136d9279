-- Which indexes are there, halves of one among them?
select indexrelid::regclass::text, indisvalid, indisready, pg_get_indexdef(indexrelid)
from pg_index
join pg_class on pg_class.oid = indexrelid
where relnamespace = to_regnamespace('app')
order by 1

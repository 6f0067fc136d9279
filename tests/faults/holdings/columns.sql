-- Columns: type, default and comment.
select attrelid::regclass::text, attname::text, atttypid::regtype::text, attnotnull, pg_get_expr(adbin, adrelid),
       obj_description(attrelid, 'pg_class')
from pg_attribute
join pg_class on pg_class.oid = attrelid
left join pg_attrdef on adrelid = attrelid and adnum = attnum
where relnamespace = to_regnamespace('app') and relkind in ('r', 'p') and attnum > 0 and not attisdropped
order by 1, attnum

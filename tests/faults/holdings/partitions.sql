-- What is a partition of what, or about to be none any more?
select inhrelid::regclass::text, inhparent::regclass::text, inhdetachpending, pg_get_expr(relpartbound, inhrelid)
from pg_inherits
join pg_class on pg_class.oid = inhrelid
where relnamespace = to_regnamespace('app') and relkind in ('r', 'p')
order by 1

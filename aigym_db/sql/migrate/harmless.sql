-- Which of these are functions of PostgreSQL's own that change nothing?
select distinct proname::text
from pg_proc
where pronamespace = 'pg_catalog'::regnamespace and proname = any (%(names)s) and provolatile in ('i', 's')

-- The functions among these that are PostgreSQL's own and change no data.
select distinct proname::text
from pg_proc
where pronamespace = 'pg_catalog'::regnamespace and proname = any (%(names)s) and provolatile in ('i', 's')

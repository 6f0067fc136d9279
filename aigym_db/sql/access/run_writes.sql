-- The writes after which the reach was compared, with what the actor gains, and those that name another person.
select write, reach
from pg_temp.aigym_run_writes(%(writes)s::int[])

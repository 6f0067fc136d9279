-- The rows that each statement reached, up to the first unexpected result if `stop` is set.
select attempt, actual, affected, state, message from pg_temp.aigym_run(%(attempts)s::int[], %(stop)s, %(replica)s)

-- What each statement reached; up to the first that reached something else than it should, if asked to stop there.
select job, reached, state, message from pg_temp.aigym_try(%(jobs)s::int[], %(stop)s, %(replica)s)

-- What each call returned and changed, or the error it raised.
select call, returned, changes, state, message from pg_temp.aigym_run_calls(%(calls)s::int[])

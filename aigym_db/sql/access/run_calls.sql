-- What each call returned and changed, or the error it raised.
select call, returned, changes, reach, state, message, rejected_step
from pg_temp.aigym_run_calls(%(calls)s::int[], %(reach)s, %(search_path)s)

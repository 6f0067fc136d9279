-- Which of the functions each call executed, and the context of the error that it raised.
select call, executed, context from pg_temp.aigym_call_coverage(%(calls)s::int[], %(functions)s::bigint[])

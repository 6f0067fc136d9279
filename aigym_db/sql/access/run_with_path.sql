-- The SQLSTATE of each statement executed with a search_path; null if it succeeded.
select attempt, state from pg_temp.aigym_run_with_path(%(attempts)s::int[], %(path)s)

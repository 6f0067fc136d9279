-- Load the calls.
copy pg_temp.aigym_call (id, role, claims, settings, before, before_compared, body, actors) from stdin

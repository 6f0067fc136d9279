-- Load the calls.
copy pg_temp.aigym_call (id, role, claims, settings, before, body, actors) from stdin

-- Load the calls.
copy pg_temp.aigym_call (id, role, claims, settings, before, before_policed, body, actors) from stdin

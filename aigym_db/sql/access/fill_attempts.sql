-- Load the statements.
copy pg_temp.aigym_attempt (id, setup_id, setup, role, claims, settings, body, observe, success, passed, each_body, each_key, expected) from stdin

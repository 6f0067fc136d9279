-- Load the writes.
copy pg_temp.aigym_write (id, role, claims, settings, actor, setups, bodies, named) from stdin

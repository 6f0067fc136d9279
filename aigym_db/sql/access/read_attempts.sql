-- Return the statements that `trial` loaded into this session.
copy pg_temp.aigym_attempt to stdout

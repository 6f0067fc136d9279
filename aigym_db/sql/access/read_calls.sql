-- Return the calls that `call_trial` loaded into this session.
copy pg_temp.aigym_call to stdout

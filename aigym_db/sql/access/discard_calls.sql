-- Drop the calls of an earlier trial in this session.
drop table if exists pg_temp.aigym_call, pg_temp.aigym_counted_table

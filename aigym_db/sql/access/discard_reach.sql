-- Drop the parts and baselines of an earlier reach in this session.
drop table if exists pg_temp.aigym_reach_part, pg_temp.aigym_baseline

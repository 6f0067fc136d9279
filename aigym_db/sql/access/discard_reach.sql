-- Drop the parts, policy tables and baselines of an earlier reach in this session.
drop table if exists pg_temp.aigym_reach_part, pg_temp.aigym_policy_table, pg_temp.aigym_baseline

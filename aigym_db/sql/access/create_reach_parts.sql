-- The parts of a reach that can be read alone, with the tables that each depends on, and the baselines that have been read.
drop table if exists pg_temp.aigym_reach_part, pg_temp.aigym_baseline;
create temporary table aigym_reach_part (name text not null, reads text[]);
create temporary table aigym_baseline (actor text primary key, entries text[] not null)

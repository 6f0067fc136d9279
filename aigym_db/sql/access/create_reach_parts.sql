-- The parts of a reach that can be read alone, with the tables that each depends on; null if that is unknown.
create temporary table aigym_reach_part (name text not null, is_table boolean not null, reads text[])

-- The reach of each actor before calls: `aigym_run_calls` reads the values, `aigym_read_baseline` all entries.
create temporary table aigym_baseline (actor text primary key, values text[] not null, entries text[])

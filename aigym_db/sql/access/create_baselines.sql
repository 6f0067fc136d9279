-- The reach of each actor before calls; `aigym_read_baseline` fills it.
create temporary table aigym_baseline (actor text primary key, entries text[] not null)

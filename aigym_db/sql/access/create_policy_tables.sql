-- The tables that policies read, also through functions; `directly` if the values of functions do not show each change.
create temporary table aigym_policy_table (name text primary key, directly boolean not null)

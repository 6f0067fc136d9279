-- Create functions and operators that shadow those of PostgreSQL with these names.
select pg_temp.aigym_create_shadow(%(names)s::text[])

-- The statement that kills a mutant, if any.
select killer, message from pg_temp.aigym_mutate(%(ddl)s, %(batches)s::text[])

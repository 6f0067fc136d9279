-- Which job notices that something was broken.
select noticed, message from pg_temp.aigym_break(%(ddl)s, %(likely)s::int[], %(jobs)s::int[])

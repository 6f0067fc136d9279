-- Which tables did the chain make, partitions among them?
select relname::text from pg_class where relnamespace = to_regnamespace('app') and relkind in ('r', 'p') order by 1

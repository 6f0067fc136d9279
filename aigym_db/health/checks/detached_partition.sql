-- A table that is no longer a partition, or not completely detached.
-- code: HLT11
-- hint: Complete a detach with `alter table … detach partition … finalize`; archive and drop a table that is not needed.
-- breaks: alter table app.days detach partition app.days_2
-- finding: warning: The table app.days_2 has the name and the columns of partitions of app.days
-- breaks: update pg_catalog.pg_inherits set inhdetachpending = true where inhrelid = 'app.days_2'::regclass
-- finding: warning: The partition app.days_2 of app.days is not completely detached
-- Queries on the parent do not return the rows of a detached table, and erasure and retention that work through the
-- parent do not reach them. PostgreSQL does not record that a table was a partition: a table is reported if a partition
-- in its schema has the same name except for digits, and the same columns. A DETACH PARTITION CONCURRENTLY that was
-- interrupted prevents every other detach of the table.
with partitions as (
    select
        i.inhparent as parent,
        i.inhrelid as partition,
        i.inhdetachpending as pending,
        c.relnamespace,
        pg_catalog.regexp_replace(c.relname, '\d+', '0', 'g') as pattern
    from pg_catalog.pg_inherits as i
    join pg_catalog.pg_class as c on c.oid = i.inhrelid and c.relispartition and c.relkind in ('r', 'p')
),

tables as (
    select
        c.oid,
        c.relnamespace,
        pg_catalog.regexp_replace(c.relname, '\d+', '0', 'g') as pattern
    from pg_catalog.pg_class as c
    where c.relkind = 'r'
        and not c.relispartition
        and c.relname ~ '\d'
        and exists (select from partitions as p where p.relnamespace = c.relnamespace)
),

detached as (
    select distinct
        t.oid,
        p.parent,
        t.relnamespace,
        false as pending
    from tables as t
    join partitions as p on p.relnamespace = t.relnamespace and p.pattern = t.pattern
    where
        (
            select pg_catalog.array_agg(a.attname || ' ' || a.atttypid order by a.attname)
            from pg_catalog.pg_attribute as a
            where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        ) = (
            select pg_catalog.array_agg(a.attname || ' ' || a.atttypid order by a.attname)
            from pg_catalog.pg_attribute as a
            where a.attrelid = p.parent and a.attnum > 0 and not a.attisdropped
        )
    union all
    select
        p.partition,
        p.parent,
        p.relnamespace,
        true
    from partitions as p
    where p.pending
)

select
    'warning' as severity,
    d.oid::regclass::text as object,
    case
        when d.pending
            then 'The partition ' || d.oid::regclass || ' of ' || d.parent::regclass || ' is not completely detached.'
        else 'The table ' || d.oid::regclass || ' has the name and the columns of partitions of ' || d.parent::regclass
            || ', and is not a partition.'
    end as message,
    null::double precision as value
from detached as d
join pg_catalog.pg_namespace as n on n.oid = d.relnamespace
where n.nspname <> all (%(ignored)s::text[])

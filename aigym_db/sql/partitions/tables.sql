-- The tables among `tables` that are partitioned by range of a time: partition key, whether it is NOT NULL, columns that can
-- be inserted, primary key, foreign keys, whether row-level security is enabled.
select
    n.nspname,
    c.relname,
    a.attname as key,
    a.attnotnull as key_is_not_null,
    array(
        select x.attname::text
        from pg_attribute as x
        where x.attrelid = c.oid and x.attnum > 0 and not x.attisdropped and x.attgenerated = ''
        order by x.attnum
    ) as columns,
    array(
        select x.attname::text
        from pg_index as i
        cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (number, position)
        join pg_attribute as x on x.attrelid = c.oid and x.attnum = k.number
        where i.indrelid = c.oid and i.indisprimary
        order by k.position
    ) as primary_key,
    array(
        select quote_ident(f.conname) || ' ' || pg_get_constraintdef(f.oid)
        from pg_constraint as f
        where f.conrelid = c.oid and f.contype = 'f' and f.conparentid = 0
        order by f.conname
    ) as foreign_keys,
    c.relrowsecurity
from pg_partitioned_table as p
join pg_class as c on c.oid = p.partrelid
join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
where p.partstrat = 'r'
    and p.partnatts = 1
    and a.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
    and n.nspname || '.' || c.relname = any(%(tables)s)
order by 1, 2

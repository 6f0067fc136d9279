-- The key and the columns of each table, as needed to try every command on it.
select
    n.nspname as schema,
    c.relname as name,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as quoted,
    quote_ident(c.relname) as alias,
    c.relkind = 'p' as partitioned,
    c.relrowsecurity as protected,
    coalesce(
        (select array_agg(a.attname::text order by k.position)
         from pg_index i
         cross join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, position)
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
         where i.indrelid = c.oid and i.indisprimary),
        '{}'
    ) as key,
    (select jsonb_agg(
         jsonb_build_object(
             'name', a.attname,
             'quoted', quote_ident(a.attname),
             'type', format_type(a.atttypid, a.atttypmod),
             'generated', a.attgenerated <> '',
             'identity', a.attidentity <> '',
             'required', a.attnotnull,
             'unique', exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and a.attnum = any (i.indkey::int2[])),
             -- Writing the same constant into every row would break these, or change what the policies see.
             'tied', a.attgenerated <> '' or a.attidentity <> ''
                 or exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey::int2[]))
                 or exists (
                     select from pg_constraint k
                     where k.conrelid = c.oid
                       and a.attnum = any (k.conkey)
                       -- A value of the fixture, or null, satisfies a CHECK of one column; a random value need not.
                       and (
                         k.contype = 'x'
                         or k.contype = 'c' and (
                             cardinality(k.conkey) > 1
                             or exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and a.attnum = any (i.indkey::int2[]))
                         )
                       )
                 )
                 or exists (select from pg_partitioned_table p where p.partrelid = c.oid and a.attnum = any (p.partattrs::int2[]))
                 or exists (
                     select from pg_policy p
                     join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid
                     where p.polrelid = c.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum
                 )
         )
         order by a.attnum
     )
     from pg_attribute a
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and not c.relispartition
  and n.nspname !~ '^pg_'
  and n.nspname not in ('information_schema', 'aigym_db')
order by n.nspname, c.relname

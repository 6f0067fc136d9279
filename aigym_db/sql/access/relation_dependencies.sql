-- What reading and writing each relation executes and reaches. On reading: the functions of policies and rules, and the
-- relations that rules read. On writing: the functions of triggers, defaults and constraints, and the relations to which
-- foreign keys cascade. Partitions count for their root.
select
    n.nspname || '.' || c.relname as relation,
    coalesce(array_agg(distinct d.function::bigint) filter (where d.reading and d.function is not null), '{}') as on_read,
    coalesce(array_agg(distinct d.function::bigint) filter (where not d.reading and d.function is not null), '{}') as on_write,
    coalesce(array_agg(distinct tn.nspname || '.' || tc.relname) filter (where d.reading and tc.oid is not null), '{}') as read,
    coalesce(array_agg(distinct tn.nspname || '.' || tc.relname) filter (where not d.reading and tc.oid is not null), '{}') as cascades
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join (
    select t.tgrelid as relation, false as reading, t.tgfoid as function, null::oid as target
    from pg_trigger t
    where not t.tgisinternal
    union all
    select coalesce(a.adrelid, k.conrelid, p.polrelid, r.ev_class), a.oid is null and k.oid is null, g.refobjid, null
    from pg_depend g
    left join pg_attrdef a on g.classid = 'pg_attrdef'::regclass and a.oid = g.objid
    left join pg_constraint k on g.classid = 'pg_constraint'::regclass and k.oid = g.objid
    left join pg_policy p on g.classid = 'pg_policy'::regclass and p.oid = g.objid
    left join pg_rewrite r on g.classid = 'pg_rewrite'::regclass and r.oid = g.objid
    where g.refclassid = 'pg_proc'::regclass
    union all
    select r.ev_class, true, null, g.refobjid
    from pg_depend g
    join pg_rewrite r on g.classid = 'pg_rewrite'::regclass and r.oid = g.objid
    where g.refclassid = 'pg_class'::regclass and g.refobjid <> r.ev_class
    union all
    select k.confrelid, false, null, k.conrelid
    from pg_constraint k
    where k.contype = 'f' and (k.confdeltype not in ('a', 'r') or k.confupdtype not in ('a', 'r'))
) as d on coalesce(pg_partition_root(d.relation), d.relation) = c.oid
left join pg_class tc on tc.oid = coalesce(pg_partition_root(d.target), d.target)
left join pg_namespace tn on tn.oid = tc.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and not c.relispartition
  and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
group by 1
order by 1

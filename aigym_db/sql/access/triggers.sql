-- The commands that fire a trigger or a rewrite rule, by table; those of partitions count for their root. `before` and
-- `per_statement` are those that fire one before the policies are evaluated, or although no row is affected. Triggers
-- that fire with session_replication_role = replica, too, count as both.
select
    n.nspname || '.' || c.relname as name,
    array_agg(distinct e.command) as commands,
    coalesce(array_agg(distinct e.command) filter (where e.before), '{}') as before,
    coalesce(array_agg(distinct e.command) filter (where e.per_statement), '{}') as per_statement
from (
    select
        t.tgrelid as relation,
        b.command,
        t.tgtype & 2 <> 0 or t.tgenabled <> 'O' as before,
        t.tgtype & 1 = 0 or t.tgenabled <> 'O' as per_statement
    from pg_trigger t
    cross join (values (4, 'insert'), (8, 'delete'), (16, 'update')) as b (bit, command)
    where t.tgenabled <> 'D' and t.tgtype & b.bit <> 0
    union all
    select r.ev_class, b.command, true, true
    from pg_rewrite r
    join (values ('2', 'update'), ('3', 'insert'), ('4', 'delete')) as b (event, command) on b.event = r.ev_type::text
    where r.ev_enabled <> 'D'
) as e
join pg_class c on c.oid = coalesce(pg_partition_root(e.relation), e.relation)
join pg_namespace n on n.oid = c.relnamespace
group by 1
order by 1

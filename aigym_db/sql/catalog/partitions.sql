-- The partitions in the partition schema, summarized by root table, whatever their names, bounds and number.
with member as (
    select
        pg_partition_root(c.oid) as root,
        pg_get_partkeydef(pg_partition_root(c.oid)) as root_key,
        pg_get_expr(c.relpartbound, c.oid) as bound,
        concat_ws(
            ', ',
            'owner ' || c.relowner::regrole::text,
            'row security ' || case when c.relrowsecurity then 'on' else 'off' end,
            case when c.relforcerowsecurity then 'forced' end,
            'acl ' || coalesce((
                select string_agg(item::text, ' ' order by item::text collate "C")
                from unnest(coalesce(c.relacl, acldefault('r', c.relowner))) as item
            ), 'nobody'),
            case c.relpersistence when 'u' then 'unlogged' end,
            case c.relkind when 'p' then 'partition by ' || pg_get_partkeydef(c.oid) when 'f' then 'foreign' end,
            case c.relreplident when 'f' then 'replica identity full' when 'n' then 'replica identity nothing' end,
            'options ' || array_to_string(c.reloptions, ' '),
            (
                select 'policies ' || string_agg(p.polname, ' ' order by p.polname collate "C")
                from pg_policy as p
                where p.polrelid = c.oid
            ),
            (
                select 'triggers '
                    || string_agg(g.tgname || ' ' || g.tgenabled::text, ' ' order by g.tgname collate "C", g.tgenabled)
                from pg_trigger as g
                where g.tgrelid = c.oid and not g.tgisinternal
            ),
            (
                select 'foreign keys disabled'
                where exists (
                    select from pg_trigger as g
                    where g.tgrelid = c.oid and g.tgisinternal and g.tgenabled <> 'O'
                )
            ),
            (
                select 'invalid indexes ' || count(*)
                from pg_index as x
                where x.indrelid = c.oid and not (x.indisvalid and x.indisready)
                having count(*) > 0
            ),
            (
                select 'detach pending' from pg_inherits as h where h.inhrelid = c.oid and h.inhdetachpending
            ),
            (
                select 'column acl ' || string_agg(a.attname || ' ' || a.attacl::text, ' ' order by a.attname collate "C")
                from pg_attribute as a
                where a.attrelid = c.oid and a.attacl is not null
            )
        ) as looks
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where c.relispartition and c.relkind in ('r', 'p', 'f') and n.nspname = %(partitions)s::text
)

select
    'table' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
    string_agg(distinct m.looks, '; ') as partitions,
    string_agg(m.bound, ', ' order by m.bound collate "C") filter (where m.root_key like 'HASH%%') as hash_partitions
from member as m
join pg_class as c on c.oid = m.root
join pg_namespace as n on n.oid = c.relnamespace
group by n.nspname, c.relname

-- The properties of each table, view and foreign table, except partitions in the partition schema.
select
    case c.relkind
        when 'r' then 'table' when 'p' then 'table' when 'v' then 'view'
        when 'm' then 'materialized view' else 'foreign table'
    end as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
    c.relowner::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(c.relacl, acldefault('r', c.relowner))) as item
    ) as acl,
    (
        select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
        from pg_attribute as a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) as columns,
    case c.relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end as persistence,
    case when c.relkind in ('r', 'p') then c.relrowsecurity::text end as row_security,
    case when c.relkind in ('r', 'p') then c.relforcerowsecurity::text end as force_row_security,
    case c.relreplident
        when 'f' then 'full' when 'n' then 'nothing'
        when 'i' then (
            select 'index ' || quote_ident(i.relname)
            from pg_index as x join pg_class as i on i.oid = x.indexrelid
            where x.indrelid = c.oid and x.indisreplident
        )
    end as replica_identity,
    case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partition_by,
    case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end as partition_bound,
    (
        select string_agg(
            i.inhparent::regclass::text || case when i.inhdetachpending then ' (detach pending)' else '' end,
            ', ' order by i.inhseqno
        )
        from pg_inherits as i
        where i.inhrelid = c.oid
    ) as inherits,
    case when c.reloftype <> 0 then c.reloftype::regtype::text end as of_type,
    (select string_agg(o, ', ' order by o collate "C") from unnest(c.reloptions) as o) as options,
    (
        select string_agg('toast.' || o, ', ' order by o collate "C")
        from pg_class as t, unnest(t.reloptions) as o
        where t.oid = c.reltoastrelid
    ) as toast_options,
    nullif(am.amname, 'heap') as access_method,
    ts.spcname as tablespace,
    case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition,
    fs.srvname as server,
    array_to_string(ft.ftoptions, ', ') as server_options,
    d.description as comment
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
left join pg_am as am on am.oid = c.relam
left join pg_tablespace as ts on ts.oid = c.reltablespace
left join pg_foreign_table as ft on ft.ftrelid = c.oid
left join pg_foreign_server as fs on fs.oid = ft.ftserver
left join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    -- Partitions, and the tables that `partitions apply` has detached or fills, which it marks with a comment.
    and not (
        n.nspname = %(partitions)s::text
        and (c.relispartition or coalesce(obj_description(c.oid, 'pg_class') like 'aigym-db: %%', false))
    )
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )

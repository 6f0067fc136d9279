-- Indexes with their definition and validity; an index of a constraint only if the constraint does not describe it fully.
select
    'index' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(i.relname) as name,
    quote_ident(tn.nspname) || '.' || quote_ident(c.relname) as on_table,
    pg_get_indexdef(i.oid) as definition,
    case when not x.indisvalid or not x.indisready or not x.indislive then 'false' end as valid,
    case when x.indisclustered then 'true' end as clustered,
    case when p.inhparent is not null then p.inhparent::regclass::text end as part_of,
    (
        select string_agg(a.attnum || ': ' || a.attstattarget, ', ' order by a.attnum)
        from pg_attribute as a
        where a.attrelid = i.oid and a.attstattarget >= 0
    ) as statistics_targets,
    ts.spcname as tablespace,
    d.description as comment
from pg_index as x
join pg_class as i on i.oid = x.indexrelid
join pg_namespace as n on n.oid = i.relnamespace
join pg_class as c on c.oid = x.indrelid
join pg_namespace as tn on tn.oid = c.relnamespace
left join pg_constraint as k on k.conindid = i.oid and k.contype in ('p', 'u', 'x')
left join pg_inherits as p on p.inhrelid = i.oid
left join pg_tablespace as ts on ts.oid = i.reltablespace
left join pg_description as d on d.objoid = i.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    -- Partitions, and the tables that `partitions apply` has detached or fills, which it marks with a comment.
    and not (
        tn.nspname = %(partitions)s::text
        and (c.relispartition or coalesce(obj_description(c.oid, 'pg_class') like 'aigym-db: %%', false))
    )
    and (
        k.oid is null or d.description is not null or x.indisclustered or not x.indisvalid
        or not x.indisready or i.reltablespace <> 0
    )
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_class'::regclass and e.objid in (i.oid, c.oid) and e.deptype = 'e'
    )

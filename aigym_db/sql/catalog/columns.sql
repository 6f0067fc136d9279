-- The properties of each column of a table, view, foreign table or composite type.
select
    'column' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(a.attname) as name,
    format_type(a.atttypid, a.atttypmod) as type,
    case
        when not a.attnotnull then null
        when exists (
            select from pg_constraint as v
            where v.conrelid = c.oid and v.contype = 'n' and v.conkey[1] = a.attnum and not v.convalidated
        ) then 'not valid'
        else 'true'
    end as not_null,
    case when a.attgenerated = '' then pg_get_expr(f.adbin, f.adrelid) end as default,
    case a.attgenerated
        when 's' then 'stored: ' || pg_get_expr(f.adbin, f.adrelid)
        when 'v' then 'virtual: ' || pg_get_expr(f.adbin, f.adrelid)
    end as generated,
    case a.attidentity when 'a' then 'always' when 'd' then 'by default' end as identity,
    case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end as collation,
    case
        when a.attstorage <> t.typstorage
            then case a.attstorage
                when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main'
            end
    end as storage,
    case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end as compression,
    nullif(a.attstattarget, -1)::text as statistics_target,
    case when not a.attislocal and not c.relispartition then 'true' end as inherited,
    case
        when a.attacl is not null
            then (select string_agg(item::text, ' ' order by item::text collate "C") from unnest(a.attacl) as item)
    end as acl,
    (
        -- Minor versions from 15.20 on store a change counter here, which is not part of the definition.
        select string_agg(option, ', ' order by place)
        from unnest(a.attoptions) with ordinality as given(option, place)
        where not starts_with(option, 'pg_attver=')
    ) as options,
    array_to_string(a.attfdwoptions, ', ') as server_options,
    d.description as comment
from pg_attribute as a
join pg_class as c on c.oid = a.attrelid
join pg_namespace as n on n.oid = c.relnamespace
join pg_type as t on t.oid = a.atttypid
left join pg_attrdef as f on f.adrelid = a.attrelid and f.adnum = a.attnum
left join pg_description as d
    on d.objoid = a.attrelid and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum
where a.attnum > 0
    and not a.attisdropped
    and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
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

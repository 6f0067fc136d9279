-- Triggers with their definition, and whether they are enabled.
select
    'trigger' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(g.tgname) as name,
    pg_get_triggerdef(g.oid) as definition,
    case g.tgenabled
        when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
    end as enabled,
    case when g.tgparentid <> 0 then 'true' end as inherited,
    d.description as comment
from pg_trigger as g
join pg_class as c on c.oid = g.tgrelid
join pg_namespace as n on n.oid = c.relnamespace
left join pg_description as d on d.objoid = g.oid and d.classoid = 'pg_trigger'::regclass
where not g.tgisinternal
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
        where e.classid = 'pg_trigger'::regclass and e.objid = g.oid and e.deptype = 'e'
    )

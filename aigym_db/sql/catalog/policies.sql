-- Row-level security policies: mode, command, roles and expressions.
select
    'policy' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(p.polname) as name,
    case when p.polpermissive then 'permissive' else 'restrictive' end as mode,
    case p.polcmd
        when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all'
    end as command,
    (
        select string_agg(
            case when member = 0 then 'public' else member::regrole::text end,
            ', ' order by case when member = 0 then 'public' else member::regrole::text end collate "C"
        )
        from unnest(p.polroles) as member
    ) as roles,
    pg_get_expr(p.polqual, p.polrelid) as using,
    pg_get_expr(p.polwithcheck, p.polrelid) as with_check,
    d.description as comment
from pg_policy as p
join pg_class as c on c.oid = p.polrelid
join pg_namespace as n on n.oid = c.relnamespace
left join pg_description as d on d.objoid = p.oid and d.classoid = 'pg_policy'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    -- Partitions, and the tables that `partitions apply` has detached or fills, which it marks with a comment.
    and not (
        n.nspname = %(partitions)s::text
        and (c.relispartition or coalesce(obj_description(c.oid, 'pg_class') like 'aigym-db: %%', false))
    )
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_policy'::regclass and e.objid = p.oid and e.deptype = 'e'
    )

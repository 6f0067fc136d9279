-- The constraints of each table and domain. NOT NULL is a property of the column on every server version.
select
    'constraint' as kind,
    o.name || '.' || quote_ident(k.conname) as name,
    pg_get_constraintdef(k.oid) as definition,
    (
        -- Foreign keys are enforced by internal triggers; DISABLE TRIGGER ALL disables them without a message.
        select string_agg(distinct case g.tgenabled when 'D' then 'disabled' when 'R' then 'replica' else 'always' end, ', ')
        from pg_trigger as g
        where g.tgconstraint = k.oid and g.tgisinternal and g.tgenabled <> 'O'
    ) as enforcement,
    d.description as comment
from pg_constraint as k
join lateral (
    select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name, n.nspname, c.relispartition
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where c.oid = k.conrelid
    union all
    select quote_ident(n.nspname) || '.' || quote_ident(t.typname), n.nspname, false
    from pg_type as t join pg_namespace as n on n.oid = t.typnamespace
    where t.oid = k.contypid and k.conrelid = 0
) as o on true
left join pg_description as d on d.objoid = k.oid and d.classoid = 'pg_constraint'::regclass
where k.contype in ('c', 'f', 'p', 'u', 'x')
    and k.conparentid = 0
    and o.nspname !~ '^pg_'
    and o.nspname <> 'information_schema'
    and o.nspname <> all (%(ignored)s::text[])
    -- Partitions, and the tables that `partitions apply` has detached or fills, which it marks with a comment.
    and not (
        o.nspname = %(partitions)s::text
        and (o.relispartition or coalesce(obj_description(k.conrelid, 'pg_class') like 'aigym-db: %%', false))
    )
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_class'::regclass and e.objid = k.conrelid and e.deptype = 'e'
    )
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_type'::regclass and e.objid = k.contypid and e.deptype = 'e'
    )

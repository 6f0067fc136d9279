-- Functions and procedures with their definition, owner and privileges, except the constructors of range types.
select
    case p.prokind when 'p' then 'procedure' else 'function' end as kind,
    quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')' as name,
    pg_get_functiondef(p.oid) as definition,
    p.proowner::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(p.proacl, acldefault('f', p.proowner))) as item
    ) as acl,
    case when p.prosecdef then 'definer' else 'invoker' end as security,
    d.description as comment
from pg_proc as p
join pg_namespace as n on n.oid = p.pronamespace
left join pg_description as d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
where p.prokind in ('f', 'p', 'w')
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype in ('e', 'i')
    )

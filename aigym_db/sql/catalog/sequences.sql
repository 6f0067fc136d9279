-- The parameters, owning column, owner and privileges of each sequence. Its current value is data and not included.
select
    'sequence' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
    format_type(s.seqtypid, null) as type,
    s.seqstart::text as start,
    s.seqincrement::text as increment,
    s.seqmin::text as minimum,
    s.seqmax::text as maximum,
    s.seqcache::text as cache,
    s.seqcycle::text as cycle,
    case c.relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end as persistence,
    (
        select min(quote_ident(tn.nspname) || '.' || quote_ident(t.relname) || '.' || quote_ident(a.attname))
        from pg_depend as o
        join pg_class as t on t.oid = o.refobjid
        join pg_namespace as tn on tn.oid = t.relnamespace
        join pg_attribute as a on a.attrelid = o.refobjid and a.attnum = o.refobjsubid
        where o.classid = 'pg_class'::regclass
            and o.objid = c.oid
            and o.refclassid = 'pg_class'::regclass
            and o.deptype in ('a', 'i')
    ) as owned_by,
    c.relowner::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(c.relacl, acldefault('s', c.relowner))) as item
    ) as acl,
    d.description as comment
from pg_class as c
join pg_sequence as s on s.seqrelid = c.oid
join pg_namespace as n on n.oid = c.relnamespace
left join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )

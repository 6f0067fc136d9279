-- User-defined collations.
select
    'collation' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.collname) as name,
    c.collprovider::text as provider,
    c.collisdeterministic::text as deterministic,
    nullif(c.collencoding, -1)::text as encoding,
    c.collcollate as lc_collate,
    c.collctype as lc_ctype,
    coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale') as locale,
    to_jsonb(c) ->> 'collicurules' as rules,
    c.collowner::regrole::text as owner,
    d.description as comment
from pg_collation as c
join pg_namespace as n on n.oid = c.collnamespace
left join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_collation'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_collation'::regclass and e.objid = c.oid and e.deptype = 'e'
    )

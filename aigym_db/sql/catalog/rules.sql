-- Rewrite rules, except the _RETURN rules of views.
select
    'rule' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(r.rulename) as name,
    pg_get_ruledef(r.oid) as definition,
    case r.ev_enabled
        when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
    end as enabled,
    d.description as comment
from pg_rewrite as r
join pg_class as c on c.oid = r.ev_class
join pg_namespace as n on n.oid = c.relnamespace
left join pg_description as d on d.objoid = r.oid and d.classoid = 'pg_rewrite'::regclass
where (r.rulename <> '_RETURN' or r.ev_enabled <> 'O' or d.description is not null)
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_rewrite'::regclass and e.objid = r.oid and e.deptype = 'e'
    )
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )

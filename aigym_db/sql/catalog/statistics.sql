-- Extended statistics objects.
select
    'statistics' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(s.stxname) as name,
    pg_get_statisticsobjdef(s.oid) as definition,
    nullif(s.stxstattarget, -1)::text as statistics_target,
    s.stxowner::regrole::text as owner,
    d.description as comment
from pg_statistic_ext as s
join pg_namespace as n on n.oid = s.stxnamespace
left join pg_description as d on d.objoid = s.oid and d.classoid = 'pg_statistic_ext'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_statistic_ext'::regclass and e.objid = s.oid and e.deptype = 'e'
    )

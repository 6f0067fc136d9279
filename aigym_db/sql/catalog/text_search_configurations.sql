-- User-defined text search configurations, with the dictionaries for each token type.
select
    'text search configuration' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.cfgname) as name,
    p.prsname::text as parser,
    (
        select string_agg(
            m.maptokentype || ': ' || m.mapdict::regdictionary::text, ', ' order by m.maptokentype, m.mapseqno
        )
        from pg_ts_config_map as m
        where m.mapcfg = c.oid
    ) as mappings,
    c.cfgowner::regrole::text as owner,
    d.description as comment
from pg_ts_config as c
join pg_ts_parser as p on p.oid = c.cfgparser
join pg_namespace as n on n.oid = c.cfgnamespace
left join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_ts_config'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_ts_config'::regclass and e.objid = c.oid and e.deptype = 'e'
    )

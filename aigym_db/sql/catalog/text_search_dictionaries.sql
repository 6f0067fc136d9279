-- User-defined text search dictionaries with their templates and options.
select
    'text search dictionary' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.dictname) as name,
    t.tmplname::text as template,
    c.dictinitoption as options,
    c.dictowner::regrole::text as owner,
    d.description as comment
from pg_ts_dict as c
join pg_ts_template as t on t.oid = c.dicttemplate
join pg_namespace as n on n.oid = c.dictnamespace
left join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_ts_dict'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_ts_dict'::regclass and e.objid = c.oid and e.deptype = 'e'
    )

-- Event triggers of this database.
select
    'event trigger' as kind,
    quote_ident(g.evtname) as name,
    g.evtevent::text as event,
    g.evtfoid::regprocedure::text as function,
    case g.evtenabled
        when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
    end as enabled,
    (select string_agg(tag, ', ' order by tag collate "C") from unnest(g.evttags) as tag) as tags,
    g.evtowner::regrole::text as owner,
    d.description as comment
from pg_event_trigger as g
left join pg_description as d on d.objoid = g.oid and d.classoid = 'pg_event_trigger'::regclass
where not exists (
    select from pg_depend as e
    where e.classid = 'pg_event_trigger'::regclass and e.objid = g.oid and e.deptype = 'e'
)

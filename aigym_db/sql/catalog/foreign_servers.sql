-- Foreign servers with their options, owner and privileges.
select
    'foreign server' as kind,
    quote_ident(s.srvname) as name,
    w.fdwname::text as wrapper,
    s.srvtype as type,
    s.srvversion as version,
    (select string_agg(o, ', ' order by o collate "C") from unnest(s.srvoptions) as o) as options,
    s.srvowner::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(s.srvacl, acldefault('S', s.srvowner))) as item
    ) as acl,
    d.description as comment
from pg_foreign_server as s
join pg_foreign_data_wrapper as w on w.oid = s.srvfdw
left join pg_description as d on d.objoid = s.oid and d.classoid = 'pg_foreign_server'::regclass
where not exists (
    select from pg_depend as e
    where e.classid = 'pg_foreign_server'::regclass and e.objid = s.oid and e.deptype = 'e'
)

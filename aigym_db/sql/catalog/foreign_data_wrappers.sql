-- Foreign data wrappers with their owner and privileges.
select
    'foreign data wrapper' as kind,
    quote_ident(w.fdwname) as name,
    nullif(w.fdwhandler, 0)::regprocedure::text as handler,
    nullif(w.fdwvalidator, 0)::regprocedure::text as validator,
    (select string_agg(o, ', ' order by o collate "C") from unnest(w.fdwoptions) as o) as options,
    w.fdwowner::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(w.fdwacl, acldefault('F', w.fdwowner))) as item
    ) as acl,
    d.description as comment
from pg_foreign_data_wrapper as w
left join pg_description as d on d.objoid = w.oid and d.classoid = 'pg_foreign_data_wrapper'::regclass
where not exists (
    select from pg_depend as e
    where e.classid = 'pg_foreign_data_wrapper'::regclass and e.objid = w.oid and e.deptype = 'e'
)

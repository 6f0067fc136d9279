-- Publications with their tables, columns, row filters and schemas.
select
    'publication' as kind,
    quote_ident(p.pubname) as name,
    p.pubowner::regrole::text as owner,
    p.puballtables::text as all_tables,
    concat_ws(
        ', ',
        case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
        case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end
    ) as publish,
    p.pubviaroot::text as via_root,
    nullif(to_jsonb(p) ->> 'pubgencols', 'n') as generated_columns,
    (
        select string_agg(
            r.prrelid::regclass::text
                || coalesce((
                    select ' (' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ')'
                    from pg_attribute as a
                    where a.attrelid = r.prrelid and a.attnum = any (r.prattrs::int2[])
                ), '')
                || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), ''),
            ', ' order by r.prrelid::regclass::text collate "C"
        )
        from pg_publication_rel as r
        where r.prpubid = p.oid
    ) as tables,
    (
        select string_agg(s.pnnspid::regnamespace::text, ', ' order by s.pnnspid::regnamespace::text collate "C")
        from pg_publication_namespace as s
        where s.pnpubid = p.oid
    ) as schemas,
    d.description as comment
from pg_publication as p
left join pg_description as d on d.objoid = p.oid and d.classoid = 'pg_publication'::regclass

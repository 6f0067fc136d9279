-- Types and domains. Attributes of composite types are returned as columns, checks of domains as constraints.
select
    case t.typtype when 'd' then 'domain' else 'type' end as kind,
    quote_ident(n.nspname) || '.' || quote_ident(t.typname) as name,
    case t.typtype
        when 'e' then 'enum' when 'c' then 'composite' when 'r' then 'range' when 'd' then 'domain'
        when 'p' then 'shell' else 'base'
    end as form,
    (
        select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
        from pg_enum as e
        where e.enumtypid = t.oid
    ) as labels,
    (
        select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
        from pg_attribute as a
        where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
    ) as columns,
    case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end as base_type,
    case when t.typnotnull then 'true' end as not_null,
    t.typdefault as default,
    case
        when t.typcollation <> coalesce(bt.typcollation, t.typcollation) then t.typcollation::regcollation::text
    end as collation,
    r.rngsubtype::regtype::text as subtype,
    (
        select quote_ident(cn.nspname) || '.' || quote_ident(oc.opcname)
        from pg_opclass as oc join pg_namespace as cn on cn.oid = oc.opcnamespace
        where oc.oid = r.rngsubopc
    ) as subtype_opclass,
    nullif(r.rngcollation, 0)::regcollation::text as subtype_collation,
    nullif(r.rngcanonical::oid, 0)::regprocedure::text as canonical,
    nullif(r.rngsubdiff::oid, 0)::regprocedure::text as subtype_diff,
    r.rngmultitypid::regtype::text as multirange,
    case
        when t.typtype = 'b'
            then concat_ws(
                ' ', t.typlen, t.typbyval, t.typalign, t.typstorage, t.typcategory, t.typispreferred, t.typdelim,
                t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze, t.typsubscript
            )
    end as base,
    t.typowner::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(t.typacl, acldefault('T', t.typowner))) as item
    ) as acl,
    d.description as comment
from pg_type as t
join pg_namespace as n on n.oid = t.typnamespace
left join pg_class as c on c.oid = t.typrelid
left join pg_type as bt on bt.oid = t.typbasetype
left join pg_range as r on r.rngtypid = t.oid
left join pg_description as d on d.objoid = t.oid and d.classoid = 'pg_type'::regclass
where t.typtype <> 'm'
    and (t.typrelid = 0 or c.relkind = 'c')
    and not exists (select from pg_type as el where el.typarray = t.oid)
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e'
    )

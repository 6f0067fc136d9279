-- The statements that create the database %(name)s as a full clone of %(template)s, in order.
with template as (
    select
        d.oid,
        d.datacl,
        d.datconnlimit,
        pg_get_userbyid(d.datdba) as owner,
        shobj_description(d.oid, 'pg_database') as comment
    from pg_catalog.pg_database as d
    where d.datname = %(template)s
),
statements(step, place, statement) as (
    -- The template is addressed by the given name, so that PostgreSQL reports an error if it does not exist.
    select 1, 0::bigint, format(
        'create database %%I template %%I strategy file_copy owner %%I connection limit %%s',
        %(name)s::text, %(template)s::text, coalesce(t.owner, current_user), coalesce(t.datconnlimit, -1)
    )
    from (select) as one
    left join template as t on true

    union all
    -- A null ACL means the default privileges; otherwise revoke these first.
    select 2, 0, format(
        'revoke all on database %%1$I from public; revoke all on database %%1$I from %%2$I', %(name)s::text, t.owner
    )
    from template as t
    where t.datacl is not null

    union all
    -- In list order: a grantor receives a grant option before using it. One statement per grantor, run as the grantor.
    select 3, a.place, format(
        'set role %%I; grant %%s on database %%I to %%s%%s; reset role',
        pg_get_userbyid(a.grantor),
        a.privilege_type,
        %(name)s::text,
        case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
        case when a.is_grantable then ' with grant option' else '' end
    )
    from template as t
    cross join lateral aclexplode(t.datacl) with ordinality as a(grantor, grantee, privilege_type, is_grantable, place)

    union all
    -- Settings that are lists of names are stored with quoted names; quote each member as a literal.
    select 4, row_number() over (order by s.setrole, c.place), format(
        'alter %%s set %%I to %%s',
        case s.setrole
            when 0 then format('database %%I', %(name)s::text)
            else format('role %%I in database %%I', pg_get_userbyid(s.setrole), %(name)s::text)
        end,
        split_part(c.setting, '=', 1),
        case when split_part(c.setting, '=', 1) in (
            'local_preload_libraries', 'search_path', 'session_preload_libraries', 'temp_tablespaces'
        ) then (
            select string_agg(quote_literal(coalesce(replace(m.found[1], '""', '"'), m.found[2])), ', ' order by m.place)
            from regexp_matches(
                substr(c.setting, strpos(c.setting, '=') + 1), '"((?:[^"]|"")*)"|([^," ]+)', 'g'
            ) with ordinality as m(found, place)
        ) else quote_literal(substr(c.setting, strpos(c.setting, '=') + 1)) end
    )
    from template as t
    join pg_catalog.pg_db_role_setting as s on s.setdatabase = t.oid
    cross join lateral unnest(s.setconfig) with ordinality as c(setting, place)

    union all
    select 5, 0, format('comment on database %%I is %%L', %(name)s::text, t.comment)
    from template as t
    where t.comment is not null
)
select statement from statements order by step, place

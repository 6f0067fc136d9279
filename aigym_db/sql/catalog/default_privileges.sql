-- Default privileges (ALTER DEFAULT PRIVILEGES) by role, schema and type of object.
select
    'default privileges' as kind,
    a.defaclrole::regrole::text
        || case when a.defaclnamespace = 0 then '' else ' in ' || a.defaclnamespace::regnamespace::text end
        || ' on '
        || case a.defaclobjtype
            when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types'
            when 'n' then 'schemas' when 'L' then 'large objects' else a.defaclobjtype::text
        end as name,
    coalesce(
        (select string_agg(item::text, ' ' order by item::text collate "C") from unnest(a.defaclacl) as item), ''
    ) as acl
from pg_default_acl as a
left join pg_namespace as n on n.oid = a.defaclnamespace
where n.nspname is null or n.nspname <> all (%(ignored)s::text[])

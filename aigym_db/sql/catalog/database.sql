-- The owner, privileges and connection limit of this database.
select
    'database' as kind,
    'this' as name,
    b.datdba::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(b.datacl, acldefault('d', b.datdba))) as item
    ) as acl,
    case when b.datconnlimit >= 0 then b.datconnlimit::text end as connection_limit,
    shobj_description(b.oid, 'pg_database') as comment
from pg_database as b
where b.datname = current_database()

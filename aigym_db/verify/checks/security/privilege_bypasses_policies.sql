-- A table privilege that row-level security does not restrict.
-- code: SEC03
-- level: error
-- hint: Grant select, insert, update and delete only, and revoke the others.
-- breaks: grant truncate on app.birds to verify_reader
-- finding: verify_reader may truncate app.birds
-- breaks: grant all on app.birds to public
-- finding: PUBLIC may
-- TRUNCATE empties a table regardless of its policies. REFERENCES reveals which keys exist. TRIGGER lets a role run its
-- own code as the next role that writes. MAINTAIN lets it lock the table. GRANT ALL includes all of them.
select
    n.nspname || '.' || c.relname as object,
    a.grantee || ' may ' || lower(a.privileges) || ' ' || n.nspname || '.' || c.relname
        || ', which row-level security does not restrict.' as message
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
cross join lateral (
    select
        case when x.grantee = 0 then 'PUBLIC' else x.grantee::regrole::text end as grantee,
        string_agg(x.privilege_type, ', ' order by x.privilege_type) as privileges
    from pg_catalog.aclexplode(c.relacl) as x
    where x.grantee <> c.relowner
        and x.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
    group by x.grantee
) as a
where c.relkind in ('r', 'p')
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1, 2

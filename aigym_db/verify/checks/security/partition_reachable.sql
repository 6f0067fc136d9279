-- A partition that a role other than the owner can query directly.
-- code: SEC04
-- level: error
-- hint: Revoke the privilege: roles with privileges on the parent reach the rows through its policies.
-- breaks: grant select on app.days_2025 to verify_reader
-- finding: granted to verify_reader
-- A query on a partition applies the policies of the partition, not those of its parent.
select
    n.nspname || '.' || c.relname as object,
    'The partition ' || n.nspname || '.' || c.relname || ' is granted to ' || a.grantees
        || ': direct queries bypass the policies of its parent.' as message
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
cross join lateral (
    select
        string_agg(
            distinct case when x.grantee = 0 then 'PUBLIC' else x.grantee::regrole::text end, ', '
        ) as grantees
    from pg_catalog.aclexplode(c.relacl) as x
    where x.grantee <> c.relowner
) as a
where c.relispartition
    and c.relkind in ('r', 'p')
    and a.grantees is not null
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
order by 1

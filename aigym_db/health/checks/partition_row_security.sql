-- A partition that bypasses the row-level security of its parent.
-- code: HLT10
-- hint: Enable row-level security on the partition, and revoke its privileges: roles reach its rows through the parent.
-- breaks: alter table app.days_1 disable row level security
-- finding: warning: app.days_1 of app.days has row-level security disabled
-- breaks: alter table app.days_1 disable row level security; grant select on app.days_1 to health_reader
-- finding: critical: health_reader can query every row
-- breaks: grant select (day) on app.days_1 to health_reader
-- finding: warning: app.days_1 of app.days is granted to health_reader
-- A query on a partition applies the policies of the partition, not those of its parent, and a new partition inherits
-- neither row-level security nor policies. Examined: partitions whose root has row-level security enabled. Roles to
-- which row-level security never applies (owner, superusers, BYPASSRLS) are left out.
select
    case when not c.relrowsecurity and a.grantees is not null then 'critical' else 'warning' end as severity,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) as object,
    'The partition ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || ' of '
        || r.oid::regclass
        || case
            when c.relrowsecurity
                then ' is granted to ' || a.grantees || ': direct queries bypass the policies of its parent.'
            when a.grantees is null then ' has row-level security disabled, and no role has privileges.'
            else ' has row-level security disabled: ' || a.grantees || ' can query every row.'
        end as message,
    null::double precision as value
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_class as r on r.oid = pg_catalog.pg_partition_root(c.oid)
cross join lateral (
    select
        pg_catalog.string_agg(distinct coalesce(pg_catalog.quote_ident(g.rolname), 'PUBLIC'), ', ') as grantees
    from (
        select x.grantee
        from pg_catalog.aclexplode(c.relacl) as x
        union all
        select x.grantee
        from pg_catalog.pg_attribute as t
        cross join lateral pg_catalog.aclexplode(t.attacl) as x
        where t.attrelid = c.oid and t.attacl is not null
    ) as p
    left join pg_catalog.pg_roles as g on g.oid = p.grantee
    where p.grantee <> c.relowner and not coalesce(g.rolsuper or g.rolbypassrls, false)
) as a
where c.relispartition
    and c.relkind in ('r', 'p')
    and r.relrowsecurity
    and (not c.relrowsecurity or a.grantees is not null)
    and n.nspname <> all (%(ignored)s::text[])

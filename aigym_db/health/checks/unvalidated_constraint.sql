-- A constraint that has not been validated against existing rows.
-- code: HLT02
-- hint: Run `alter table … validate constraint …`, once the rows satisfy it.
-- breaks: alter table app.birds add constraint birds_check check (id > 5) not valid
-- finding: warning: birds_check of app.birds is not validated
-- breaks: alter domain app.size add constraint size_limit check (value < 100) not valid
-- finding: warning: size_limit of app.size is not validated
-- NOT VALID checks new rows only. Until VALIDATE CONSTRAINT succeeds, older rows may violate it, and the planner does
-- not use it. Constraints that are NOT ENFORCED (PostgreSQL 18) are never validated and are left out.
select
    'warning' as severity,
    o.name || '.' || pg_catalog.quote_ident(k.conname) as object,
    'The constraint ' || k.conname || ' of ' || o.name || ' is not validated: older rows may violate it.' as message,
    null::double precision as value
from pg_catalog.pg_constraint as k
left join pg_catalog.pg_class as c on c.oid = k.conrelid
left join pg_catalog.pg_type as t on t.oid = k.contypid
join pg_catalog.pg_namespace as n on n.oid = coalesce(c.relnamespace, t.typnamespace)
cross join lateral (
    select
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(coalesce(c.relname, t.typname)) as name
) as o
where not k.convalidated
    -- PostgreSQL 17 and older have no column `conenforced`.
    and coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::bool, true)
    -- The parent's constraint stands for those of its partitions.
    and k.conparentid = 0
    and k.coninhcount = 0
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])

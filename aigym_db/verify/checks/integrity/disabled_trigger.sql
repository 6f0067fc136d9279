-- A disabled trigger or foreign key.
-- code: INT03
-- level: error
-- hint: Enable them with `alter table … enable trigger all`, then look for rows that violate the constraints.
-- breaks: alter table app.birds disable trigger all
-- finding: foreign keys and triggers are disabled: birds_parent_fkey
-- breaks: alter table app.birds disable trigger birds_touch
-- finding: triggers are disabled: birds_touch
-- ALTER TABLE … DISABLE TRIGGER ALL, which loading tools run, also disables foreign keys: internal triggers enforce
-- them.
select
    n.nspname || '.' || c.relname as object,
    case
        when count(*) filter (where g.tgisinternal) = 0
            then 'On ' || n.nspname || '.' || c.relname || ' triggers are disabled: '
        else 'On ' || n.nspname || '.' || c.relname || ' foreign keys and triggers are disabled: '
    end || string_agg(distinct coalesce(k.conname, g.tgname), ', ') || '.' as message
from pg_catalog.pg_trigger as g
join pg_catalog.pg_class as c on c.oid = g.tgrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_constraint as k on k.oid = g.tgconstraint
where g.tgenabled = 'D'
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
group by n.nspname, c.relname
order by 1

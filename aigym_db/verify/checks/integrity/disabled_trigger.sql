-- Which triggers and foreign keys are switched off?
-- code: INT03
-- level: error
-- help: Switch them on: `alter table … enable trigger all`, then look for rows that broke the rules meanwhile.
-- breaks: alter table app.birds disable trigger all
-- finding: foreign keys and triggers are switched off: birds_parent_fkey
-- breaks: alter table app.birds disable trigger birds_touch
-- finding: triggers are switched off: birds_touch
-- ALTER TABLE … DISABLE TRIGGER ALL, which loading tools run, switches off foreign keys, too: they are enforced by
-- triggers of their own.
select
    n.nspname || '.' || c.relname as object,
    case
        when count(*) filter (where g.tgisinternal) = 0
            then 'On ' || n.nspname || '.' || c.relname || ' triggers are switched off: '
        else 'On ' || n.nspname || '.' || c.relname || ' foreign keys and triggers are switched off: '
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

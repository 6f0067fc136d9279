-- Functions and procedures whose dependencies PostgreSQL does not record, and the triggers that execute them.
select
    routine.oid::regprocedure::text as name,
    namespace.nspname as schema,
    routine.proname as plain_name,
    language.lanname as language,
    routine.prosrc as body,
    pg_get_functiondef(routine.oid) as definition,
    coalesce(routine.proargnames, '{}') as arguments,
    coalesce(
        (
            select array_agg(distinct on_namespace.nspname || '.' || on_table.relname)
            from pg_trigger as fires
            join pg_class as on_table on on_table.oid = fires.tgrelid
            join pg_namespace as on_namespace on on_namespace.oid = on_table.relnamespace
            where fires.tgfoid = routine.oid
        ), '{}'
    ) as trigger_of
from pg_proc as routine
join pg_namespace as namespace on namespace.oid = routine.pronamespace
join pg_language as language on language.oid = routine.prolang
where language.lanname in ('sql', 'plpgsql')
    and routine.prokind in ('f', 'p')
    and routine.prosqlbody is null
    and namespace.nspname !~ '^pg_'
    and namespace.nspname not in ('information_schema', 'aigym_db')
    and not exists (
        select from pg_depend as member
        where member.classid = 'pg_proc'::regclass and member.objid = routine.oid and member.deptype = 'e'
    )
order by 1

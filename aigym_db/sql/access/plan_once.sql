-- Plan static statements of this session once, also in functions that set plan_cache_mode: at the size of the fixture,
-- planning takes longer than execution.
do $plan$
declare
    function regprocedure;
begin
    perform set_config('plan_cache_mode', 'force_generic_plan', false);
    for function in
        select p.oid
        from pg_proc p
        where exists (select from unnest(p.proconfig) as setting (value) where setting.value like 'plan\_cache\_mode=%')
    loop
        execute format('alter routine %s reset plan_cache_mode', function);
    end loop;
end
$plan$

-- Execute calls as their actors, each in a subtransaction that is rolled back; return which of the functions each executed.
-- Functions that the planner inlines are not counted, nor those that an error ended: these are in `context`, the context
-- of the error, also of a statement before the call.
create or replace function pg_temp.aigym_call_coverage(calls int[], functions bigint[])
returns table (call int, executed bigint[], context text)
language plpgsql as $coverage$
declare
    call_row record;
    counts_before bigint[];
begin
    perform set_config('track_functions', 'all', true);
    perform set_config('row_security', 'on', true);
    perform set_config('session_replication_role', 'origin', true);
    for call_row in select * from pg_temp.aigym_call c where c.id = any (aigym_call_coverage.calls) order by c.id loop
        call := call_row.id;
        select array_agg(coalesce(pg_stat_get_xact_function_calls(f.oid::oid), 0) order by f.position)
        into counts_before
        from unnest(functions) with ordinality as f (oid, position);
        begin
            perform pg_temp.aigym_run_step(step.value, '') from jsonb_array_elements(call_row.before) as step;
            perform pg_temp.aigym_act_as(call_row.role, call_row.claims, call_row.settings);
            execute call_row.body;
            set constraints all immediate;
            raise exception using errcode = 'AG000';
        exception
            when others then
                get stacked diagnostics context = pg_exception_context;
        end;
        select coalesce(array_agg(f.oid), '{}')
        into executed
        from unnest(functions) with ordinality as f (oid, position)
        where coalesce(pg_stat_get_xact_function_calls(f.oid::oid), 0) > counts_before[f.position];
        return next;
    end loop;
end
$coverage$

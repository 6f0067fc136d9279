-- Execute statements as their actors with a search_path and with triggers, each in a subtransaction that is rolled back;
-- return the SQLSTATE of each, null if it succeeded.
create or replace function pg_temp.aigym_run_with_path(attempts int[], path text)
returns table (attempt int, state text)
language plpgsql as $run$
declare
    attempt_row record;
    completed boolean;
begin
    perform set_config('row_security', 'on', true);
    for attempt_row in select * from pg_temp.aigym_attempt a where a.id = any (attempts) order by a.id loop
        attempt := attempt_row.id;
        state := null;
        completed := false;
        begin
            if attempt_row.setup is not null then
                perform set_config('session_replication_role', 'replica', true);
                execute attempt_row.setup;
            end if;
            perform set_config('session_replication_role', 'origin', true);
            perform pg_temp.aigym_act_as(attempt_row.role, attempt_row.claims, attempt_row.settings);
            perform pg_catalog.set_config('search_path', path, true);
            execute attempt_row.body;
            set constraints all immediate;
            perform pg_catalog.set_config('search_path', '', true);
            completed := true;
            raise exception using errcode = 'AG000';
        exception when others then
            if not completed then
                state := sqlstate;
            end if;
        end;
        return next;
    end loop;
end
$run$

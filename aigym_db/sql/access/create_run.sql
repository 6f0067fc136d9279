-- Execute statements as their actors, each in a subtransaction that is rolled back; return the rows each reached.
-- `actual` is null if the statement failed for another reason than privileges, policies or constraints. `affected` is
-- the number of rows written, null if the statement failed or reads only.
create function pg_temp.aigym_run(attempts int[], stop boolean, replica boolean)
returns table (attempt int, actual text[], affected bigint, state text, message text)
language plpgsql as $run$
declare
    batch record;
    attempt_row record;
    count bigint;
    finished boolean := false;
    completed boolean;
    part int;
begin
    perform txid_current();
    perform set_config('row_security', 'on', true);
    for batch in
        select a.setup, array_agg(a.id order by a.id) as attempts
        from pg_temp.aigym_attempt a
        where a.id = any (aigym_run.attempts)
        group by a.setup_id, a.setup
        order by min(a.id)
    loop
        exit when finished;
        begin
            perform set_config('session_replication_role', 'replica', true);
            if batch.setup is not null then
                execute batch.setup;
            end if;
            perform set_config('session_replication_role', case when replica then 'replica' else 'origin' end, true);
            for attempt_row in select * from pg_temp.aigym_attempt a where a.id = any (batch.attempts) order by a.id loop
                attempt := attempt_row.id;
                affected := null;
                state := null;
                message := null;
                completed := false;
                begin
                    perform pg_temp.aigym_act_as(attempt_row.role, attempt_row.claims, attempt_row.settings);
                    if attempt_row.success is null and attempt_row.observe is null then
                        execute attempt_row.body into actual;
                    else
                        execute attempt_row.body;
                        get diagnostics count = row_count;
                        if not replica then
                            -- The subtransaction is never committed: fire the deferred triggers now, as the actor.
                            set constraints all immediate;
                        end if;
                        perform set_config('role', 'none', true);
                        affected := count;
                        if count = 0 then
                            actual := '{}';
                        elsif attempt_row.observe is null then
                            actual := attempt_row.success;
                        else
                            execute attempt_row.observe into actual;
                        end if;
                    end if;
                    completed := true;
                    raise exception using errcode = 'AG000';
                exception
                    when insufficient_privilege then
                        affected := null;
                        state := sqlstate;
                        message := sqlerrm;
                        actual := '{}';
                    when integrity_constraint_violation then
                        affected := null;
                        state := sqlstate;
                        message := sqlerrm;
                        actual := attempt_row.passed;
                    when others then
                        if not completed then
                            affected := null;
                            state := sqlstate;
                            message := sqlerrm;
                            actual := null;
                        end if;
                end;
                -- One row that violates a WITH CHECK makes the whole statement fail: then row by row.
                if state = '42501' and attempt_row.each_body is not null then
                    for part in 1 .. cardinality(attempt_row.each_body) loop
                        begin
                            perform pg_temp.aigym_act_as(attempt_row.role, attempt_row.claims, attempt_row.settings);
                            execute attempt_row.each_body[part];
                            get diagnostics count = row_count;
                            if not replica then
                                set constraints all immediate;
                            end if;
                            if count > 0 then
                                actual := actual || attempt_row.each_key[part];
                            end if;
                            raise exception using errcode = 'AG000';
                        exception when others then
                            null;
                        end;
                    end loop;
                end if;
                return next;
                if stop and actual is distinct from attempt_row.expected then
                    finished := true;
                    exit;
                end if;
            end loop;
            raise exception using errcode = 'AG000';
        exception when sqlstate 'AG000' then
            null;
        end;
    end loop;
end
$run$

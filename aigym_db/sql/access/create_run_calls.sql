-- Execute calls as their actors, with triggers, each in a subtransaction that is rolled back; return what each returned
-- and changed. `returned` is null if the call raised an error; `changes` maps tables to rows inserted, updated, deleted.
create or replace function pg_temp.aigym_run_calls(calls int[])
returns table (call int, returned text[], changes jsonb, state text, message text)
language plpgsql as $run$
declare
    call_row record;
    counts_before bigint[];
    counts_after bigint[];
begin
    perform set_config('row_security', 'on', true);
    perform set_config('session_replication_role', 'origin', true);
    perform set_config('track_counts', 'on', true);
    counts_before := pg_temp.aigym_count_changes();
    for call_row in select * from pg_temp.aigym_call c where c.id = any (aigym_run_calls.calls) order by c.id loop
        call := call_row.id;
        returned := null;
        changes := null;
        state := null;
        message := null;
        begin
            perform pg_temp.aigym_act_as(call_row.role, call_row.claims, call_row.settings);
            if call_row.body like 'call %' then
                execute call_row.body;
                returned := array[null::text];
            else
                execute call_row.body into returned;
            end if;
            set constraints all immediate;
            perform set_config('role', 'none', true);
            counts_after := pg_temp.aigym_count_changes();
            if counts_after <> counts_before then
                select jsonb_object_agg(changed.name, jsonb_build_array(changed.inserted, changed.updated, changed.deleted))
                into changes
                from (
                    select
                        t.name,
                        sum(counts_after[3 * t.position - 2] - counts_before[3 * t.position - 2]) as inserted,
                        sum(counts_after[3 * t.position - 1] - counts_before[3 * t.position - 1]) as updated,
                        sum(counts_after[3 * t.position] - counts_before[3 * t.position]) as deleted
                    from pg_temp.aigym_counted_table t
                    group by t.name
                ) as changed
                where (changed.inserted, changed.updated, changed.deleted) <> (0, 0, 0);
            end if;
            raise exception using errcode = 'AG000';
        exception
            when sqlstate 'AG000' then
                null;
            when others then
                returned := null;
                state := sqlstate;
                message := sqlerrm;
        end;
        if state is not null or changes is not null then
            counts_before := pg_temp.aigym_count_changes();
        end if;
        return next;
    end loop;
end
$run$

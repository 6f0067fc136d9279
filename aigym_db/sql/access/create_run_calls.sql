-- Execute calls as their actors, with triggers, each in a subtransaction that is rolled back; return what each returned
-- and changed. `returned` is null if the call raised an error; `changes` maps tables to rows inserted, updated, deleted,
-- `reach` lists what the actors of the call gain and lose, each as in `aigym_reach_changes`.
create or replace function pg_temp.aigym_run_calls(calls int[], with_reach boolean, path text)
returns table (call int, returned text[], changes jsonb, reach jsonb, state text, message text)
language plpgsql as $run$
declare
    call_row record;
    counts_before bigint[];
    counts_after bigint[];
    actor record;
    baselines jsonb := '{}';
begin
    perform txid_current();
    perform set_config('row_security', 'on', true);
    perform set_config('session_replication_role', 'origin', true);
    perform set_config('track_counts', 'on', true);
    counts_before := pg_temp.aigym_count_changes();
    for call_row in select * from pg_temp.aigym_call c where c.id = any (aigym_run_calls.calls) order by c.role, c.claims, c.settings, c.id loop
        if with_reach then
            for actor in select name, value from jsonb_each(call_row.actors) as actors (name, value) where not baselines ? (value ->> 'name') loop
                baselines := jsonb_set(baselines, array[actor.value ->> 'name'], to_jsonb(pg_temp.aigym_read_reach(actor.value, true)));
            end loop;
        end if;
        call := call_row.id;
        returned := null;
        changes := null;
        reach := null;
        state := null;
        message := null;
        begin
            perform pg_temp.aigym_run_steps(call_row.before);
            perform pg_temp.aigym_act_as(call_row.role, call_row.claims, call_row.settings);
            if call_row.body like 'call %' then
                perform pg_catalog.set_config('search_path', path, true);
                execute call_row.body;
                perform pg_catalog.set_config('search_path', '', true);
                returned := array[null::text];
            else
                perform pg_catalog.set_config('search_path', path, true);
                execute call_row.body into returned;
                perform pg_catalog.set_config('search_path', '', true);
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
                if with_reach then
                    select jsonb_agg(entry)
                    into reach
                    from jsonb_each(call_row.actors) as actors (name, value)
                    cross join jsonb_array_elements(
                        pg_temp.aigym_reach_changes(
                            actors.name,
                            array(select jsonb_array_elements_text(baselines -> (actors.value ->> 'name'))),
                            pg_temp.aigym_read_reach(actors.value, true),
                            (select count(*) > 1 from jsonb_object_keys(call_row.actors))
                        )
                    ) as entry;
                end if;
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

-- Execute calls as their actors, with triggers, each in a subtransaction that is rolled back; return what each returned
-- and changed. `returned` is null if an error was raised, by the statement `rejected_step` of those before the call if it
-- is not null; `changes` maps tables to rows inserted, updated, deleted, `reach` lists what the actors of the call gain and
-- lose, each as in `aigym_reach_changes`. Nothing is compared unless an actor to which policies apply has changed something.
create or replace function pg_temp.aigym_run_calls(calls int[], with_reach boolean, path text)
returns table (call int, returned text[], changes jsonb, reach jsonb, state text, message text, rejected_step int)
language plpgsql as $run$
declare
    call_row record;
    completed boolean;
    counts_before bigint[];
    counts_compared bigint[];
    counts_after bigint[];
    counted_at pg_lsn;
    changed text[];
    parts text[];
    written text[];
    reached jsonb;
    unlogged boolean := exists (
        select from pg_temp.aigym_counted_table t join pg_class c on c.oid = t.table_oid where c.relpersistence = 'u'
    );
begin
    perform txid_current();
    perform set_config('row_security', 'on', true);
    perform set_config('session_replication_role', 'origin', true);
    perform set_config('track_counts', 'on', true);
    if with_reach then
        insert into pg_temp.aigym_baseline (actor, values)
        select actors.value ->> 'name', pg_temp.aigym_read_reach(actors.value, '{}')
        from (
            select distinct actors.value
            from pg_temp.aigym_call c
            cross join jsonb_each(c.actors) as actors (name, value)
            where c.id = any (aigym_run_calls.calls)
        ) as actors
        on conflict do nothing;
    end if;
    for call_row in select * from pg_temp.aigym_call c where c.id = any (aigym_run_calls.calls) order by c.role, c.claims, c.settings, c.id loop
        -- Counting takes longer than most calls; a change of a counted table writes WAL unless the table is unlogged.
        if unlogged or counted_at is distinct from pg_current_wal_insert_lsn() then
            counted_at := pg_current_wal_insert_lsn();
            counts_before := pg_temp.aigym_count_changes();
        end if;
        call := call_row.id;
        returned := null;
        changes := null;
        reach := null;
        state := null;
        message := null;
        reached := null;
        rejected_step := null;
        completed := false;
        begin
            counts_compared := counts_before;
            if call_row.before <> '[]' then
                for step in 1 .. jsonb_array_length(call_row.before) loop
                    rejected_step := step;
                    perform pg_temp.aigym_run_step(call_row.before -> (step - 1), path);
                end loop;
                rejected_step := null;
                if not call_row.before_policed and (unlogged or counted_at <> pg_current_wal_insert_lsn()) then
                    counts_compared := pg_temp.aigym_count_changes();
                end if;
            end if;
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
            if unlogged or counted_at <> pg_current_wal_insert_lsn() then
                counts_after := pg_temp.aigym_count_changes();
            else
                counts_after := counts_before;
            end if;
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
                if with_reach and call_row.actors <> '{}' and counts_after <> counts_compared then
                    changed := array(select jsonb_object_keys(changes));
                    parts := pg_temp.aigym_changed_parts(
                        changes,
                        exists (
                            select
                            from jsonb_each(call_row.actors) as actors (name, value)
                            join pg_temp.aigym_baseline b on b.actor = actors.value ->> 'name'
                            where pg_temp.aigym_policies_affected(changed, actors.value, b.values)
                        )
                    );
                    written := pg_temp.aigym_written(changed);
                    select jsonb_object_agg(actors.name, pg_temp.aigym_read_reach(actors.value, parts))
                    into reached
                    from jsonb_each(call_row.actors) as actors (name, value);
                end if;
            end if;
            completed := true;
            raise exception using errcode = 'AG000';
        exception
            when others then
                if not completed then
                    returned := null;
                    state := sqlstate;
                    message := sqlerrm;
                end if;
        end;
        if state is null and reached is not null then
            select jsonb_agg(entry)
            into reach
            from jsonb_each(call_row.actors) as actors (name, value)
            cross join jsonb_array_elements(
                pg_temp.aigym_reach_changes(
                    actors.name,
                    pg_temp.aigym_read_baseline(actors.value, parts),
                    array(select jsonb_array_elements_text(reached -> actors.name)),
                    written,
                    (select count(*) > 1 from jsonb_object_keys(call_row.actors))
                )
            ) as entry;
        end if;
        return next;
    end loop;
end
$run$

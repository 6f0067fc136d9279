-- Execute calls as their actors, with triggers, each in a subtransaction that is rolled back; return what each returned
-- and changed. `returned` is null if the call raised an error; `changes` maps tables to rows inserted, updated, deleted,
-- `gains` maps tables and functions to the number of rows and values that the actor reaches only after the call.
create or replace function pg_temp.aigym_run_calls(calls int[], with_reach boolean, path text)
returns table (call int, returned text[], changes jsonb, gains jsonb, state text, message text)
language plpgsql as $run$
declare
    call_row record;
    counts_before bigint[];
    counts_after bigint[];
    actor text := '';
    result text;
    reach_before text[];
    reach_gained text[];
    written text[];
    written_keys text[];
begin
    perform txid_current();
    perform set_config('row_security', 'on', true);
    perform set_config('session_replication_role', 'origin', true);
    perform set_config('track_counts', 'on', true);
    counts_before := pg_temp.aigym_count_changes();
    for call_row in select * from pg_temp.aigym_call c where c.id = any (aigym_run_calls.calls) order by c.role, c.claims, c.settings, c.id loop
        if with_reach and call_row.reach is not null and (call_row.role || call_row.claims || call_row.settings) <> actor then
            actor := call_row.role || call_row.claims || call_row.settings;
            begin
                execute format('select pg_temp.%I($1, $2)', call_row.reach) into reach_before
                using call_row.claims, call_row.settings;
            exception when others then
                -- An error in a policy, which the cells of the table report.
                reach_before := null;
            end;
        end if;
        call := call_row.id;
        returned := null;
        changes := null;
        gains := null;
        state := null;
        message := null;
        begin
            perform pg_temp.aigym_act_as(call_row.role, call_row.claims, call_row.settings);
            if call_row.before is not null then
                execute call_row.before into result;
                perform set_config('aigym.result', coalesce(result, ''), true);
            end if;
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
                if with_reach and call_row.reach is not null and reach_before is not null then
                    execute format('select pg_temp.%I($1, $2)', call_row.reach) into reach_gained
                    using call_row.claims, call_row.settings;
                    reach_gained := array(select unnest(reach_gained) except select unnest(reach_before));
                    if reach_gained <> '{}' then
                        written := pg_temp.aigym_written();
                        written_keys := array(select substr(entry, strpos(entry, ' ') + 1) from unnest(written) as entry);
                        select jsonb_object_agg(gained.name, gained.count)
                        into gains
                        from (
                            select split_part(entry.text, ' ', 1) as name, count(*) as count
                            from unnest(reach_gained) as entry (text)
                            where entry.text <> all (written)
                              -- A value that is the key of a row that the call wrote: the id of a new tenant.
                              and (entry.text !~ '^[^ ]*\)' or substr(entry.text, strpos(entry.text, ' ') + 1) <> all (written_keys))
                            group by 1
                        ) as gained;
                    end if;
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

-- Execute writes as their actors, with triggers, each in a subtransaction that is rolled back; return those after which
-- the reach of the actor was compared, with what it gains, and those that name another person. It is compared if a table
-- changes that policies read, and a value changes with it or policies read the table directly.
create or replace function pg_temp.aigym_run_writes(writes int[])
returns table (write int, reach jsonb, compared boolean, names boolean)
language plpgsql as $run$
declare
    unit record;
    statement text;
    identity text := '';
    counts_before bigint[];
    counts_after bigint[];
    changed text[];
    baseline_values text[];
    baseline text[];
    grown boolean;
    completed boolean;
begin
    perform txid_current();
    perform set_config('row_security', 'on', true);
    perform set_config('track_counts', 'on', true);
    perform set_config('session_replication_role', 'origin', true);
    for unit in select * from pg_temp.aigym_write w where w.id = any (writes) order by w.role, w.claims, w.settings, w.id loop
        if unit.named is null and identity <> unit.actor ->> 'name' then
            identity := unit.actor ->> 'name';
            baseline_values := pg_temp.aigym_read_reach(unit.actor, '{}');
            baseline := null;
        end if;
        write := unit.id;
        reach := null;
        names := false;
        grown := false;
        for pass in 1 .. 2 loop
            exit when pass = 2 and not grown;
            if pass = 2 and baseline is null then
                baseline := pg_temp.aigym_read_reach(unit.actor, null);
            end if;
            begin
                begin
                    foreach statement in array unit.setups loop
                        execute statement;
                    end loop;
                exception when others then
                    -- A foreign key or a trigger rejects it: delete the rows that reference the deleted ones, too. Otherwise
                    -- triggers stay enabled, because a change of the setting discards all plans of the session.
                    perform set_config('session_replication_role', 'replica', true);
                    foreach statement in array unit.setups loop
                        execute statement;
                    end loop;
                    perform pg_temp.aigym_delete_orphans();
                    perform set_config('session_replication_role', 'origin', true);
                end;
                counts_before := pg_temp.aigym_count_changes();
                completed := false;
                begin
                    perform pg_temp.aigym_act_as(unit.role, unit.claims, unit.settings);
                    foreach statement in array unit.bodies loop
                        execute statement;
                    end loop;
                    set constraints all immediate;
                    perform set_config('role', 'none', true);
                    if unit.named is not null then
                        execute unit.named into names;
                    elsif pass = 1 then
                        counts_after := pg_temp.aigym_count_changes();
                        changed := array(
                            select distinct t.name
                            from pg_temp.aigym_counted_table t
                            where counts_after[3 * t.position - 2 : 3 * t.position]
                                <> counts_before[3 * t.position - 2 : 3 * t.position]
                        );
                        grown := pg_temp.aigym_policies_affected(changed, unit.actor, baseline_values);
                    else
                        reach := pg_temp.aigym_reach_changes(
                            '', baseline, pg_temp.aigym_read_reach(unit.actor, null), pg_temp.aigym_written(null), false
                        );
                    end if;
                    completed := true;
                    raise exception using errcode = 'AG000';
                exception when others then
                    -- A single write that fails with triggers is reported by another test; several are repeated.
                    if not completed then
                        grown := cardinality(unit.bodies) > 1 and unit.named is null;
                        reach := case when grown then '[]'::jsonb end;
                    end if;
                end;
                raise exception using errcode = 'AG000';
            exception when sqlstate 'AG000' then
                null;
            end;
            exit when reach = '[]';
        end loop;
        compared := grown;
        if compared or names then
            return next;
        end if;
    end loop;
end
$run$

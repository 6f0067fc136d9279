-- Tries statements as their actors, each in a subtransaction that is rolled back, and returns the rows each reached.
-- `reached` is null when PostgreSQL neither ran the statement nor refused it: that is an error inside a policy.
create function pg_temp.aigym_try(jobs int[], stop boolean, replica boolean)
returns table (job int, reached text[], state text, message text)
language plpgsql as $try$
declare
    scene record;
    asked record;
    count bigint;
    finished boolean := false;
    part int;
begin
    perform txid_current();
    perform set_config('row_security', 'on', true);
    for scene in
        select j.scene as id, j.setup, array_agg(j.id order by j.id) as jobs
        from pg_temp.aigym_job j
        where j.id = any (aigym_try.jobs)
        group by j.scene, j.setup
        order by min(j.id)
    loop
        exit when finished;
        begin
            perform set_config('session_replication_role', 'replica', true);
            if scene.setup is not null then
                execute scene.setup;
            end if;
            perform set_config('session_replication_role', case when replica then 'replica' else 'origin' end, true);
            for asked in select * from pg_temp.aigym_job j where j.id = any (scene.jobs) order by j.id loop
                job := asked.id;
                state := null;
                message := null;
                begin
                    perform pg_temp.aigym_act_as(asked.role, asked.claims, asked.settings);
                    if asked.success is null and asked.observe is null then
                        execute asked.body into reached;
                    else
                        execute asked.body;
                        get diagnostics count = row_count;
                        perform set_config('role', 'none', true);
                        if count = 0 then
                            reached := '{}';
                        elsif asked.observe is null then
                            reached := asked.success;
                        else
                            execute asked.observe into reached;
                        end if;
                    end if;
                    raise exception using errcode = 'AG000';
                exception
                    when sqlstate 'AG000' then
                        null;
                    when insufficient_privilege then
                        state := sqlstate;
                        message := sqlerrm;
                        reached := '{}';
                    when integrity_constraint_violation then
                        state := sqlstate;
                        message := sqlerrm;
                        reached := asked.passed;
                    when others then
                        state := sqlstate;
                        message := sqlerrm;
                        reached := null;
                end;
                -- One row that a WITH CHECK refuses makes the whole statement fail: then row by row.
                if state = '42501' and asked.each_body is not null then
                    for part in 1 .. cardinality(asked.each_body) loop
                        begin
                            perform pg_temp.aigym_act_as(asked.role, asked.claims, asked.settings);
                            execute asked.each_body[part];
                            get diagnostics count = row_count;
                            if count > 0 then
                                reached := reached || asked.each_key[part];
                            end if;
                            raise exception using errcode = 'AG000';
                        exception when others then
                            null;
                        end;
                    end loop;
                end if;
                return next;
                if stop and reached is distinct from asked.expected then
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
$try$

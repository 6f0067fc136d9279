-- Execute the statements before a call, each as its actor; `aigym.result` is the value that the last query returned.
create or replace function pg_temp.aigym_run_steps(steps jsonb)
returns void
language plpgsql as $steps$
declare
    step record;
    result text;
begin
    perform set_config('aigym.result', '', true);
    for step in select * from jsonb_to_recordset(steps) as s (role text, claims text, settings jsonb, sql text) loop
        perform pg_temp.aigym_act_as(step.role, step.claims, step.settings);
        result := null;
        if step.sql ~* '^\s*(select|with|values)\M|\mreturning\M' then
            execute step.sql into result;
            perform set_config('aigym.result', coalesce(result, ''), true);
        else
            execute step.sql;
        end if;
        perform set_config('role', 'none', true);
    end loop;
end
$steps$

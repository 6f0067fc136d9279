-- Execute the statements before a call, each as its actor and with this search_path; `aigym.result` is the value that the
-- last query returned. If PostgreSQL rejects one, raise AB001 with the position of the statement, SQLSTATE and message as JSON,
-- and the context of the error as detail: that is not a rejection of the call.
create or replace function pg_temp.aigym_run_steps(steps jsonb, path text)
returns void
language plpgsql as $steps$
declare
    step record;
    result text;
    context text;
    position int := 0;
begin
    perform set_config('aigym.result', '', true);
    for step in select * from jsonb_to_recordset(steps) as s (role text, claims text, settings jsonb, sql text) loop
        position := position + 1;
        perform pg_temp.aigym_act_as(step.role, step.claims, step.settings);
        result := null;
        if step.sql ~* '^\s*(select|with|values)\M|\mreturning\M' then
            perform set_config('search_path', path, true);
            execute step.sql into result;
            perform pg_catalog.set_config('search_path', '', true);
            perform set_config('aigym.result', coalesce(result, ''), true);
        else
            perform set_config('search_path', path, true);
            execute step.sql;
            perform pg_catalog.set_config('search_path', '', true);
        end if;
        perform set_config('role', 'none', true);
    end loop;
exception
    when others then
        get stacked diagnostics context = pg_exception_context;
        raise exception using
            errcode = 'AB001',
            message = jsonb_build_object('statement', position, 'state', sqlstate, 'message', sqlerrm),
            detail = context;
end
$steps$

-- Execute a statement before a call as its actor and with this search_path; `aigym.result` is the value that the last query
-- returned. Deferred constraints are checked as at COMMIT, and deferred again.
create or replace function pg_temp.aigym_run_step(step jsonb, path text)
returns void
language plpgsql as $step$
declare
    statement constant text := step ->> 'sql';
    returns_rows constant boolean := statement ~* '^\s*(select|with|values)\M|\mreturning\M';
    result text;
begin
    perform pg_temp.aigym_act_as(step ->> 'role', step ->> 'claims', step -> 'settings');
    perform set_config('search_path', path, true);
    if returns_rows then
        execute statement into result;
        perform pg_catalog.set_config('aigym.result', coalesce(result, ''), true);
    else
        execute statement;
    end if;
    perform pg_catalog.set_config('search_path', '', true);
    set constraints all immediate;
    perform set_config('role', 'none', true);
    perform pg_temp.aigym_defer_constraints();
end
$step$

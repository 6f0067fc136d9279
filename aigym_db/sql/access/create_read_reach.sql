-- Return the reach of an actor: values of functions that policies call, held rows and some parts, all if `parts` is null. If
-- a policy raises an error, which the cells of its table report, return an entry that differs from every other.
create or replace function pg_temp.aigym_read_reach(actor jsonb, parts text[])
returns text[]
language plpgsql as $reach$
declare
    reached text[];
    completed boolean := false;
begin
    execute format('select pg_temp.%I($1, $2, $3, $4)', actor ->> 'function')
    into reached
    using actor ->> 'claims', actor -> 'settings', actor -> 'persons', parts;
    completed := true;
    raise exception using errcode = 'AG000';
exception when others then
    if completed then
        return reached;
    end if;
    return array['error (' || sqlerrm || E'(held)\t' || clock_timestamp()];
end
$reach$

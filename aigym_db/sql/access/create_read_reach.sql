-- Return the reach of an actor, with its rows or only values of functions and held rows. If a policy raises an error,
-- which the cells of its table report, return an entry that differs from every other.
create or replace function pg_temp.aigym_read_reach(actor jsonb, with_rows boolean)
returns text[]
language plpgsql as $reach$
declare
    reached text[];
begin
    execute format('select pg_temp.%I($1, $2, $3)', (actor ->> 'function') || case when with_rows then '' else '_values' end)
    into reached
    using actor ->> 'claims', actor -> 'settings', actor -> 'persons';
    return reached;
exception when others then
    return array['error (' || sqlerrm || E'(held)\t' || clock_timestamp()];
end
$reach$

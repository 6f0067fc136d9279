-- Defer again, after SET CONSTRAINTS ALL IMMEDIATE, the constraints that are deferred at the start of a transaction.
create or replace function pg_temp.aigym_defer_constraints()
returns void
language plpgsql as $defer$
declare
    immediate text;
begin
    if not exists (select from pg_constraint c where c.condeferred) then
        return;
    end if;
    set constraints all deferred;
    -- DEFERRED with a name that constraints share is an error if one of them is not deferrable; IMMEDIATE is not.
    select string_agg(format('%s.%I', c.connamespace::regnamespace, c.conname), ', ')
    into immediate
    from pg_constraint c
    where c.condeferrable and not c.condeferred;
    if immediate is not null then
        execute format('set constraints %s immediate', immediate);
    end if;
end
$defer$

-- Execute a mutation and statements until one returns other rows than expected, then roll everything back.
-- `likely` are executed first. `killer` is the statement that killed the mutant; `message` the error if the mutation itself failed.
create function pg_temp.aigym_mutate(ddl text, likely int[], attempts int[], out killer int, out message text)
language plpgsql as $mutate$
declare
    result record;
    part text;
    mutated boolean := false;
    -- Most mutants are killed early: execute a few statements at a time and skip the rest.
    many constant int := 300;
begin
    begin
        execute ddl;
        mutated := true;
        foreach part in array array(
            select p.ids
            from (
                select 0 as number, likely::text as ids
                union all
                select g.start, attempts[g.start : g.start + many - 1]::text
                from generate_series(1, cardinality(attempts), many) as g (start)
            ) as p
            order by p.number
        ) loop
            for result in
                select t.attempt, t.actual, a.expected
                from pg_temp.aigym_run(part::int[], true, true) t
                join pg_temp.aigym_attempt a on a.id = t.attempt
            loop
                if result.actual is distinct from result.expected then
                    killer := result.attempt;
                end if;
            end loop;
            exit when killer is not null;
        end loop;
        raise exception using errcode = 'AG001';
    exception
        when sqlstate 'AG001' then
            null;
        when others then
            if mutated then
                raise;
            end if;
            message := sqlerrm;
    end;
end
$mutate$

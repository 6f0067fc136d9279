-- Execute a mutation and lists of statements until one returns other rows than expected, then roll everything back.
-- `killer` is the statement that killed the mutant; `message` the error if the mutation itself failed.
create function pg_temp.aigym_mutate(ddl text, batches text[], out killer int, out message text)
language plpgsql as $mutate$
declare
    result record;
    batch text;
    mutated boolean := false;
begin
    begin
        execute ddl;
        mutated := true;
        foreach batch in array batches loop
            for result in
                select t.attempt, t.actual, a.expected
                from pg_temp.aigym_run(batch::int[], true, true) t
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

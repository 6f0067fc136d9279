-- Breaks something on purpose, tries jobs until one reaches other rows than it should, and undoes it all.
-- `likely` are tried first. The job that noticed, or null; `message` says why the statement that breaks could not be run, if so.
create function pg_temp.aigym_break(ddl text, likely int[], jobs int[], out noticed int, out message text)
language plpgsql as $break$
declare
    tried record;
    part text;
    broken boolean := false;
    -- Most mutants are noticed early: a few jobs at a time, so that the others cost nothing.
    many constant int := 300;
begin
    begin
        execute ddl;
        broken := true;
        foreach part in array array(
            select p.ids
            from (
                select 0 as number, likely::text as ids
                union all
                select g.start, jobs[g.start : g.start + many - 1]::text
                from generate_series(1, cardinality(jobs), many) as g (start)
            ) as p
            order by p.number
        ) loop
            for tried in
                select t.job, t.reached, j.expected
                from pg_temp.aigym_try(part::int[], true, true) t
                join pg_temp.aigym_job j on j.id = t.job
            loop
                if tried.reached is distinct from tried.expected then
                    noticed := tried.job;
                end if;
            end loop;
            exit when noticed is not null;
        end loop;
        raise exception using errcode = 'AG001';
    exception
        when sqlstate 'AG001' then
            null;
        when others then
            if broken then
                raise;
            end if;
            message := sqlerrm;
    end;
end
$break$

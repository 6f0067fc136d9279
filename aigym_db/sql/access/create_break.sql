-- Breaks something on purpose, tries jobs until one reaches other rows than it should, and undoes it all.
-- The job that noticed, or null; `message` says why the statement that breaks could not be run, if so.
create function pg_temp.aigym_break(ddl text, jobs int[], out noticed int, out message text)
language plpgsql as $break$
declare
    tried record;
    broken boolean := false;
begin
    begin
        execute ddl;
        broken := true;
        for tried in
            select t.job, t.reached, j.expected
            from pg_temp.aigym_try(jobs, true, true) t
            join pg_temp.aigym_job j on j.id = t.job
        loop
            if tried.reached is distinct from tried.expected then
                noticed := tried.job;
            end if;
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

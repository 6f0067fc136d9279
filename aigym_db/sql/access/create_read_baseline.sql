-- Return the reach of an actor before a call: values, held rows and these parts, of what is read once for each actor.
create or replace function pg_temp.aigym_read_baseline(reader jsonb, parts text[])
returns text[]
language plpgsql as $baseline$
declare
    baseline text[];
begin
    select b.entries into baseline from pg_temp.aigym_baseline b where b.actor = reader ->> 'name';
    if baseline is null then
        baseline := pg_temp.aigym_read_reach(reader, null);
        update pg_temp.aigym_baseline b set entries = baseline where b.actor = reader ->> 'name';
    end if;
    return array(
        select e.entry
        from unnest(baseline) as e (entry)
        left join pg_temp.aigym_reach_part p on p.name = regexp_replace(split_part(e.entry, E'\t', 1), '[~-]$', '')
        where p.name is null or p.name = any (parts)
    );
end
$baseline$

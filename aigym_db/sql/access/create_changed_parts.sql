-- Return the parts of a reach that can differ after changes, as in `aigym_run_calls`. Inserted rows of a table are no gain:
-- its other rows are the same unless rows have been updated or deleted, or a table on which they depend has been changed.
create or replace function pg_temp.aigym_changed_parts(changes jsonb)
returns text[]
language sql as $parts$
    select array(
        select p.name
        from pg_temp.aigym_reach_part p
        where p.reads is null
           or p.reads && array(select jsonb_object_keys(changes))
           or (changes -> p.name ->> 1)::bigint <> 0
           or (changes -> p.name ->> 2)::bigint <> 0
        order by p.name
    )
$parts$

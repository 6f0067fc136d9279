-- Return the parts of a reach that can differ after changes, as in `aigym_run_calls`. The rows of a table differ only if
-- rows have been updated or deleted, or policies are affected: inserted rows are no gain.
create or replace function pg_temp.aigym_changed_parts(changes jsonb, policies_affected boolean)
returns text[]
language sql as $parts$
    select array(
        select p.name
        from pg_temp.aigym_reach_part p
        where p.reads is null
           or (policies_affected or not p.is_table) and p.reads && array(select jsonb_object_keys(changes))
           or (changes -> p.name ->> 1)::bigint <> 0
           or (changes -> p.name ->> 2)::bigint <> 0
        order by p.name
    )
$parts$

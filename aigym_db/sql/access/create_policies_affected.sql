-- Return whether changes of tables can change which rows policies admit for an actor: a table changes that policies read,
-- and a value changes with it or policies read the table directly. `values_before` are those of `aigym_read_reach` without
-- parts.
create or replace function pg_temp.aigym_policies_affected(changed text[], actor jsonb, values_before text[])
returns boolean
language plpgsql as $affected$
begin
    if not exists (select from pg_temp.aigym_policy_table p where p.name = any (changed)) then
        return false;
    end if;
    return exists (select from pg_temp.aigym_policy_table p where p.name = any (changed) and p.directly)
        or pg_temp.aigym_read_reach(actor, '{}') <> values_before;
end
$affected$

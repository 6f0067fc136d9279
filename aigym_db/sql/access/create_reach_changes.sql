-- Return what an actor gains and loses as [name, 'gains' or 'loses', label, number] for each label. Rows that have been
-- inserted since, among those in `written`, are no gain, nor are values of functions that are keys of such rows: the id of
-- a new tenant. False instead of true is the loss of true, true instead of false the gain of true.
create or replace function pg_temp.aigym_reach_changes(
    name text, before text[], after text[], written text[], with_losses boolean
)
returns jsonb
language plpgsql as $changes$
#variable_conflict use_column
declare
    inserted text[];
begin
    if exists (
        select from (select unnest(after) except select unnest(before)) as added (entry) where added.entry ~ '^[^\t]*\)\t'
    ) then
        inserted := array(
            select substr(w.entry, strpos(w.entry, E'\t') + 1)
            from unnest(written) as w (entry)
            where not exists (select from pg_temp.aigym_existing as e where e.entry = w.entry)
        );
    end if;
    return (
        with changes as (
            select 'gains' as kind, split_part(added.entry, E'\t', 1) as label
            from (select unnest(after) except select unnest(before)) as added (entry)
            where added.entry !~ '^-' and case
                when added.entry ~ '^[^\t]*\(held\)\t' then true
                when added.entry ~ '\)\tfalse$' then regexp_replace(added.entry, 'false$', 'true') <> all (before)
                when added.entry ~ '^[^\t]*\)\t' then substr(added.entry, strpos(added.entry, E'\t') + 1) <> all (inserted)
                else exists (
                    select from pg_temp.aigym_existing as e where e.entry = regexp_replace(added.entry, '[~-]\t', E'\t')
                )
            end
            union all
            select 'loses', split_part(removed.entry, E'\t', 1)
            from (select unnest(before) except select unnest(after)) as removed (entry)
            where with_losses and removed.entry !~ '^-'
              and (removed.entry !~ '\)\tfalse$' or regexp_replace(removed.entry, 'false$', 'true') <> all (after))
        )
        select jsonb_agg(jsonb_build_array(name, counted.kind, counted.label, counted.number) order by counted.kind, counted.label)
        from (select kind, label, count(*) as number from changes group by 1, 2) as counted
    );
end
$changes$

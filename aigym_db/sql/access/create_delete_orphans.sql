-- Delete the rows whose parents are missing: foreign keys would have prevented them. Triggers must be disabled.
create or replace function pg_temp.aigym_delete_orphans()
returns void
language plpgsql as $orphans$
declare
    reference record;
    deleted bigint;
    remaining boolean := true;
begin
    while remaining loop
        remaining := false;
        for reference in
            select
                k.conrelid::regclass as child,
                k.confrelid::regclass as parent,
                string_agg(format('p.%I = c.%I', pa.attname, ca.attname), ' and ') as same,
                string_agg(format('c.%I is not null', ca.attname), ' and ') as complete
            from pg_constraint k
            cross join lateral unnest(k.conkey, k.confkey) as pair (child, parent)
            join pg_attribute ca on ca.attrelid = k.conrelid and ca.attnum = pair.child
            join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = pair.parent
            where k.contype = 'f' and k.conparentid = 0
            group by k.oid, k.conrelid, k.confrelid
        loop
            execute format(
                'delete from %s as c where %s and not exists (select from %s as p where %s)',
                reference.child, reference.complete, reference.parent, reference.same
            );
            get diagnostics deleted = row_count;
            remaining := remaining or deleted > 0;
        end loop;
    end loop;
end
$orphans$

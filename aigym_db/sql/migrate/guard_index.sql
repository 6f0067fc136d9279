-- The body of a DO block that raises an error if the relation of that name is not a usable index of the table.
declare
  existing record;
begin
  select format('%%I.%%I', namespace.nspname, named.relname) as name,
         index.indrelid = tables.oid as on_table,
         index.indisvalid and index.indisready and index.indislive or named.relkind = 'I' as usable
  into existing
  from pg_class as tables
  join pg_namespace as namespace on namespace.oid = tables.relnamespace
  join pg_class as named on named.relnamespace = tables.relnamespace and named.relname = %(name)s::text::name
  left join pg_index as index on index.indexrelid = named.oid
  where tables.oid = to_regclass(%(table)s);
  if existing.on_table is not true then
    raise object_not_in_prerequisite_state using
      message = format('%%s exists and is not an index of %%s; IF NOT EXISTS skips the statement', existing.name, %(table)s),
      hint = 'Choose another name for the index.';
  elsif not existing.usable then
    raise object_not_in_prerequisite_state using
      message = format('the index %%s is INVALID; IF NOT EXISTS skips the statement', existing.name),
      hint = format('Drop it first, in a separate migration with transaction:false: drop index concurrently %%s', existing.name);
  end if;
end

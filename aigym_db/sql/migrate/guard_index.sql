-- The body of a DO block that raises an error if the relation of that name is not a usable index of the table.
declare
  found record;
begin
  select format('%%I.%%I', namespace.nspname, named.relname) as name,
         index.indrelid = tables.oid as here,
         index.indisvalid and index.indisready and index.indislive or named.relkind = 'I' as usable
  into found
  from pg_class as tables
  join pg_namespace as namespace on namespace.oid = tables.relnamespace
  join pg_class as named on named.relnamespace = tables.relnamespace and named.relname = %(name)s::text::name
  left join pg_index as index on index.indexrelid = named.oid
  where tables.oid = to_regclass(%(table)s);
  if found.here is not true then
    raise object_not_in_prerequisite_state using
      message = format('%%s exists and is no index of %%s, so IF NOT EXISTS would skip this without a word', found.name, %(table)s),
      hint = 'Give the index another name.';
  elsif not found.usable then
    raise object_not_in_prerequisite_state using
      message = format('the index %%s is INVALID, and IF NOT EXISTS would take it for done', found.name),
      hint = format('Drop it first, in a file of its own with transaction:false: drop index concurrently %%s', found.name);
  end if;
end

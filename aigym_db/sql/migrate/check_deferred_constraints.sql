-- Check the deferred constraints as COMMIT does, and reset each one to its initial deferral mode.
do $$
declare
  every text;
  late text;
begin
  with named as (
    select pg_catalog.format('%I.%I', nspname, conname) as name, pg_catalog.bool_and(condeferred) as late
    from pg_catalog.pg_constraint
    join pg_catalog.pg_namespace on pg_namespace.oid = connamespace
    where condeferrable
      and not pg_catalog.pg_is_other_temp_schema(pg_namespace.oid)
      and pg_catalog.has_schema_privilege(pg_namespace.oid, 'usage')
    group by 1)
  select pg_catalog.string_agg(name, ', '), pg_catalog.string_agg(name, ', ') filter (where named.late)
  into every, late
  from named;
  -- By name: ALL would also apply to constraints that a later file creates, and cannot be reset.
  if every is not null then
    execute pg_catalog.concat('set constraints ', every, ' immediate');
  end if;
  if late is not null then
    execute pg_catalog.concat('set constraints ', late, ' deferred');
  end if;
end
$$

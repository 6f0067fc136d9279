-- Whether one of these tables was rewritten since (VACUUM FULL, CLUSTER, TRUNCATE): its rows have new locations.
select exists (
  select
  from unnest(%(tables)s::oid[], %(files)s::oid[]) as known (id, file)
  where pg_relation_filenode(known.id) <> known.file)

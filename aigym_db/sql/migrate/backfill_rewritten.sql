-- Was one of these tables written anew since (VACUUM FULL, CLUSTER, TRUNCATE), so that its rows lie elsewhere?
select exists (
  select
  from unnest(%(tables)s::oid[], %(files)s::oid[]) as known (id, file)
  where pg_relation_filenode(known.id) <> known.file)

-- Create the index for one tenant's events; a partial index, empty in databases without tenants.
create index event_scope_version_idx on aigym_db.event (scope, version, id) where scope <> ''

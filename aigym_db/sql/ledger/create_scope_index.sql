-- Keeps one tenant's events quick to find among those of thousands; costs nothing where there are no tenants.
create index event_scope_version_idx on aigym_db.event (scope, version, id) where scope <> ''

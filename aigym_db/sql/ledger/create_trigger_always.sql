-- Keep events append-only also in sessions with session_replication_role = replica.
alter table aigym_db.event enable always trigger event_append_only

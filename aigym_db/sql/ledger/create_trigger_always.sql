-- Keeps events append-only in sessions that replicate, too.
alter table aigym_db.event enable always trigger event_append_only

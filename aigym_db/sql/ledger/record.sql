-- Writes one event.
insert into aigym_db.event
  (kind, version, name, checksum, direction, statement, sql, detail, duration_ms, lock_wait_ms, git_commit, tool_version, host, scope)
values
  (%(kind)s, %(version)s, %(name)s, %(checksum)s, %(direction)s, %(statement)s, %(sql)s, %(detail)s, %(duration_ms)s,
   %(lock_wait_ms)s, %(git_commit)s, %(tool_version)s, %(host)s, %(scope)s)

-- All events, oldest first.
select id, kind, version, name, checksum, direction, statement, sql, detail, duration_ms, lock_wait_ms, git_commit,
       tool_version, server_version, who, host, address, application, backend, occurred_at, scope
from aigym_db.event
order by id

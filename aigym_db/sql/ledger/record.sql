-- Writes one event and says the last of the times it took. Fails where a trigger keeps the row away: nothing else would tell.
with written as (
  insert into aigym_db.event
    (kind, version, name, checksum, direction, statement, sql, detail, duration_ms, lock_wait_ms, git_commit, tool_version, host, scope)
  values
    (%(kind)s, %(version)s, %(name)s, %(checksum)s, %(direction)s, %(statement)s, %(sql)s, %(detail)s, %(duration_ms)s,
     %(lock_wait_ms)s, %(git_commit)s, %(tool_version)s, %(host)s, %(scope)s)
  returning duration_ms)
select (select duration_ms -> -1 from written),
       (case when exists (select from written) then '1' else 'a trigger keeps rows away from aigym_db.event' end)::integer

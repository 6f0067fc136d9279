-- Try to acquire one of the two locks of this database or of a tenant schema: 1 is the runner lock, 2 is held by the session that executes migrations.
select pg_try_advisory_lock(hashtextextended('aigym_db.event' || %(scope)s, %(part)s))

-- Takes one of the two locks of this database, or of a tenant schema, if it is free: 1 is the runner's, 2 is held where migrations run.
select pg_try_advisory_lock(hashtextextended('aigym_db.event' || %(scope)s, %(part)s))

-- Takes one of this database's two locks if it is free: 1 is the runner's, 2 is held where migrations run.
select pg_try_advisory_lock(hashtextextended('aigym_db.event', %(part)s))

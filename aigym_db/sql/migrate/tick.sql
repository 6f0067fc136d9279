-- Record the time between two statements: milliseconds since the message arrived or the previous commit.
select pg_catalog.set_config('aigym_db.moments',
  pg_catalog.concat(
    pg_catalog.current_setting('aigym_db.moments', true),
    pg_catalog.round(((pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())
      - greatest(pg_catalog.date_part('epoch', pg_catalog.statement_timestamp()),
                 nullif(pg_catalog.current_setting('aigym_db.since', true), '')::pg_catalog.float8)) * 1000)::pg_catalog.numeric, 3),
    ','),
  true)

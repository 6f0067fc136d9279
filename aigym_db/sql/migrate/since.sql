-- Record the start time of the next migration of a message.
select pg_catalog.set_config('aigym_db.since', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::pg_catalog.text, false)

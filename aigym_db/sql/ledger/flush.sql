-- Makes what was committed before durable: what has a number of its own waits for the disk when it is done.
select pg_current_xact_id()

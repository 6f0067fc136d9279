-- Make earlier commits durable: a transaction with a transaction ID waits for the disk when it commits.
select pg_current_xact_id()

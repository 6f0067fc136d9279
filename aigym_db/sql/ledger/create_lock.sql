-- Allow only one session at a time to create the ledger.
select pg_advisory_xact_lock(hashtextextended('aigym_db.event', 3))

-- Lets one session at a time make the ledger.
select pg_advisory_xact_lock(hashtextextended('aigym_db.event', 3))

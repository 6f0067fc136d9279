-- Create the ledger's schema.
create schema if not exists aigym_db

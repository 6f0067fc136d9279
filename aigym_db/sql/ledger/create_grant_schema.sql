-- Lets everybody look into the ledger's schema, as everybody may look into pg_catalog.
grant usage on schema aigym_db to public

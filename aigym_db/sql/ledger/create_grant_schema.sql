-- Grant USAGE on the ledger's schema to PUBLIC, as for pg_catalog.
grant usage on schema aigym_db to public

-- Grant read access to the applied migrations to PUBLIC; only the owner can read the events and their SQL.
grant select on aigym_db.applied to public

-- Lets everybody see which migrations are applied; the events and their SQL stay with the owner.
grant select on aigym_db.applied to public

-- Create the trigger that rejects UPDATE, DELETE and TRUNCATE of events.
create or replace trigger event_append_only
before update or delete or truncate on aigym_db.event
for each statement execute function aigym_db.reject_change()

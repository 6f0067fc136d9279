-- Create the type of the kinds of events.
create type aigym_db.event_kind as enum ('start', 'apply', 'fail', 'rollback', 'adopt', 'repair', 'intent', 'done')

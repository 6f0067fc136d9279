-- Makes the type of what can happen.
create type aigym_db.event_kind as enum ('start', 'apply', 'fail', 'rollback', 'adopt', 'repair', 'intent', 'done')

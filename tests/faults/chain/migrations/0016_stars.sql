-- The second of a message.
-- migrate:up
alter table app.notes add check (stars > 0);
create index notes_stars_idx on app.notes (stars);

-- migrate:down
drop index app.notes_stars_idx;
alter table app.notes drop constraint notes_stars_check;

-- Together with the next two one message.
-- migrate:up
alter table app.notes add column stars int;
alter table app.notes add column seen boolean default false;

-- migrate:down
alter table app.notes drop column seen;
alter table app.notes drop column stars;

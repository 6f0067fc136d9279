-- The second of a message.
-- migrate:up
create table app.notes (id int primary key, account_id int);
alter table app.notes add column body text;

-- migrate:down
alter table app.notes drop column body;
drop table app.notes;

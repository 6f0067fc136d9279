-- A type, and rows in the same transaction.
-- migrate:up
create type app.kind as enum ('private');
alter table app.accounts add column kind app.kind default 'private';
update app.notes set body = 'note ' || id where gate.row('body', id);

-- migrate:down
update app.notes set body = null where gate.row('none', id);
alter table app.accounts drop column kind;
drop type app.kind;

-- The last of a message.
-- migrate:up
alter table app.notes add unique (account_id);
comment on table app.notes is 'What a person wrote';

-- migrate:down
comment on table app.notes is null;
alter table app.notes drop constraint notes_account_id_key;

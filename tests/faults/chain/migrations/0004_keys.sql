-- The last of a message.
-- migrate:up
alter table app.notes add foreign key (account_id) references app.accounts;
create index notes_account_id_idx on app.notes (account_id);

-- migrate:down
drop index app.notes_account_id_idx;
alter table app.notes drop constraint notes_account_id_fkey;

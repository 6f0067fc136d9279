-- Everything in one transaction.
-- migrate:up
drop index app.notes_account_id_idx;
alter table app.accounts add column bonus int default 7;
update app.accounts set bonus = bonus + balance where gate.row('bonus', id);

-- migrate:down
alter table app.accounts drop column bonus;
create index notes_account_id_idx on app.notes (account_id);

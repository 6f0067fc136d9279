-- And about all the others.
-- migrate:up transaction:false
alter table app.accounts validate constraint accounts_balance_check;
update app.accounts set balance = balance + 5 where gate.row('five', id);

-- migrate:down transaction:false
update app.accounts set balance = balance - 5 where gate.row('less five', id);

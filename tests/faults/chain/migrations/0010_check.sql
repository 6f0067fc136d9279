-- A promise about new rows only.
-- migrate:up
alter table app.accounts add constraint accounts_balance_check check (gate.row('check', id) and balance > 0) not valid;

-- migrate:down
alter table app.accounts drop constraint accounts_balance_check;

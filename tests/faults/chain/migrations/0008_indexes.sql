-- Built beside writers, with rows changed between.
-- migrate:up transaction:false
create index concurrently accounts_balance_idx on app.accounts (balance);
update app.accounts set balance = balance + 3 where gate.row('three', id);
create unique index concurrently accounts_both_idx on app.accounts (id, balance);
vacuum app.accounts;

-- migrate:down transaction:false
drop index concurrently app.accounts_both_idx;
update app.accounts set balance = balance - 3 where gate.row('less three', id);
drop index concurrently app.accounts_balance_idx;

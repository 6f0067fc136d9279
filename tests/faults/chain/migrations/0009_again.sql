-- Built anew beside writers; a value that cannot be taken back alone.
-- migrate:up transaction:false
alter type app.kind add value 'shared';
reindex index concurrently app.accounts_balance_idx;
reindex table concurrently app.notes;

-- migrate:down transaction:false
reindex index concurrently app.accounts_balance_idx;
vacuum (analyze) app.accounts;

-- Built again beside writers; the enum value has no way back of its own.
-- migrate:up transaction:false
alter type app.kind add value 'shared';
reindex index concurrently app.accounts_balance_idx;
reindex table concurrently app.notes;

-- migrate:down transaction:false
reindex index concurrently app.accounts_balance_idx;
vacuum (analyze) app.accounts;

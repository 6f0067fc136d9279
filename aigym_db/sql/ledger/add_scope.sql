-- Add the tenant schema of an event to a ledger without that column; '' is the database itself.
alter table aigym_db.event add column scope text not null default ''

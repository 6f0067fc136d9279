-- Gives a ledger of an earlier aigym-db the tenant schema that an event is about; '' is the database itself.
alter table aigym_db.event add column scope text not null default ''

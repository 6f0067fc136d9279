-- Together with the next two one message: nothing but definitions.
-- migrate:up
create table app.accounts (id int primary key, balance int not null);
comment on table app.accounts is 'What a person has';

-- migrate:down
comment on table app.accounts is null;
drop table app.accounts;

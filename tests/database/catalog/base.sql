create role catalog_owner;
create role catalog_reader;
create role catalog_writer;
create role catalog_login login;
grant catalog_reader to catalog_login;
create schema shop authorization catalog_owner;
create schema parts;
create schema aigym_db;
set role catalog_owner;
grant usage on schema shop to catalog_reader, catalog_writer;
create type shop.state as enum ('draft', 'sent', 'paid');
create type shop.pair as (x integer, y integer);
create type shop.span as range (subtype = integer);
create domain shop.email as text constraint email_shape check (value ~ '@');
create sequence shop.numbers;
create table shop.customers (
    id bigint generated always as identity primary key,
    name text not null default 'unknown',
    mail shop.email,
    upper_name text generated always as (upper(name)) stored,
    note varchar(20),
    constraint customers_name_check check (name <> '')
);
create table shop.orders (
    id bigint primary key,
    customer_id bigint not null,
    state shop.state not null default 'draft',
    constraint orders_customer_fkey foreign key (customer_id) references shop.customers (id) on delete cascade
);
create index orders_customer_idx on shop.orders (customer_id);
create unique index orders_state_idx on shop.orders (id, (customer_id + 1)) where state <> 'draft';
create function shop.touch() returns trigger language plpgsql as $$ begin return new; end $$;
create function shop.total(integer) returns integer language sql stable as 'select $1';
create procedure shop.work() language sql as 'select 1';
create aggregate shop.many (integer) (sfunc = int4pl, stype = integer, initcond = '0');
create trigger customers_touch before update on shop.customers for each row execute function shop.touch();
alter table shop.customers enable row level security;
alter table shop.orders enable row level security;
alter table shop.orders force row level security;
create policy customers_select on shop.customers for select to catalog_reader using (id > 0);
create policy customers_insert on shop.customers for insert to catalog_writer with check (id > 0);
create view shop.names with (security_invoker = true) as select id, name from shop.customers;
create materialized view shop.sums as select count(*) as orders from shop.orders;
create rule names_rule as on delete to shop.names do instead nothing;
create rule orders_rule as on delete to shop.orders where old.id < 0 do instead nothing;
grant select on shop.customers to catalog_reader;
grant select (id, state) on shop.orders to catalog_reader;
grant execute on function shop.total(integer) to catalog_reader;
revoke execute on function shop.total(integer) from public;
create table shop.events (user_id bigint not null, at date not null) partition by range (at);
alter table shop.events enable row level security;
create table shop.tokens (user_id bigint not null) partition by hash (user_id);
comment on table shop.customers is 'who buys';
comment on column shop.customers.name is 'what to call them';
create statistics shop.orders_stats on customer_id, state from shop.orders;
alter default privileges for role catalog_owner in schema shop grant select on tables to catalog_reader;
reset role;
create table parts.events_2025 partition of shop.events for values from ('2025-01-01') to ('2026-01-01');
create table parts.events_2026 partition of shop.events for values from ('2026-01-01') to ('2027-01-01');
alter table parts.events_2025 owner to catalog_owner;
alter table parts.events_2026 owner to catalog_owner;
alter table parts.events_2025 enable row level security;
alter table parts.events_2026 enable row level security;
create table parts.tokens_0 partition of shop.tokens for values with (modulus 2, remainder 0);
create table parts.tokens_1 partition of shop.tokens for values with (modulus 2, remainder 1);
create collation shop.plain (provider = libc, locale = 'C');
create foreign data wrapper nowhere;
create server far foreign data wrapper nowhere options (host 'a');
create user mapping for catalog_reader server far options (password 'hidden');
create foreign table shop.remote (id integer) server far options (name 'a');
create publication news for table shop.orders (id);
create function shop.watch() returns event_trigger language plpgsql as 'begin end';
create event trigger watcher on ddl_command_end execute function shop.watch();
alter role catalog_reader set statement_timeout = '8s';
create text search configuration shop.words (copy = pg_catalog.simple);
create operator shop.=== (leftarg = integer, rightarg = integer, function = int4eq);

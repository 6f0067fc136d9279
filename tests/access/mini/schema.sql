do $$
begin
    if not exists (select from pg_roles where rolname = 'mini_user') then
        create role mini_anonymous nologin;
        create role mini_user nologin;
        create role mini_service nologin bypassrls;
        create role mini_guard nologin bypassrls;
    end if;
end
$$;

create schema app;
create schema guard;
create schema parts;
grant usage on schema app, guard to mini_anonymous, mini_user, mini_service, mini_guard;

create table app.tenants (
    id uuid primary key,
    name text not null
);
create table app.memberships (
    tenant_id uuid not null references app.tenants,
    user_id uuid not null,
    level text not null check (level in ('admin', 'member')),
    ended_at timestamptz,
    joined_at timestamptz not null default now(),
    primary key (tenant_id, user_id)
);
create table app.notes (
    id uuid primary key,
    user_id uuid not null,
    body text not null,
    length int generated always as (length(body)) stored,
    deleted_at timestamptz
);
create table app.units (
    id uuid primary key,
    tenant_id uuid not null references app.tenants,
    name text not null,
    unique (tenant_id, name)
);
create table app.unit_items (
    id bigint generated always as identity primary key,
    unit_id uuid not null references app.units,
    label text not null
);
create table app.colours (
    code text primary key,
    label text not null,
    retired boolean not null default false
);
create table app.log (
    id bigint generated always as identity,
    tenant_id uuid not null references app.tenants,
    at timestamptz not null,
    what text not null,
    primary key (id, at)
) partition by range (at);
create table parts.log_2026 partition of app.log for values from ('2026-01-01') to ('2027-01-01');
create table parts.log_2027 partition of app.log for values from ('2027-01-01') to ('2028-01-01');

create function guard.me() returns uuid language sql stable set search_path = '' as $$
    select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
create function guard.strong() returns boolean language sql stable set search_path = '' as $$
    select coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'aal' = 'aal2', false)
$$;
create function guard.tenants() returns setof uuid language sql stable security definer set search_path = '' as $$
    select m.tenant_id from app.memberships m where m.user_id = (select guard.me()) and m.ended_at is null
$$;
create function guard.governs() returns setof uuid language plpgsql stable security definer set search_path = '' as $$
begin
    return query
        select m.tenant_id from app.memberships m
        where m.user_id = (select guard.me()) and m.ended_at is null and m.level = 'admin' and (select guard.strong());
end
$$;
alter function guard.tenants() owner to mini_guard;
alter function guard.governs() owner to mini_guard;
grant select on app.memberships to mini_guard;

alter table app.tenants enable row level security;
alter table app.memberships enable row level security;
alter table app.notes enable row level security;
alter table app.units enable row level security;
alter table app.unit_items enable row level security;
alter table app.colours enable row level security;
alter table app.log enable row level security;
alter table parts.log_2026 enable row level security;
alter table parts.log_2027 enable row level security;

grant select, insert, update, delete on all tables in schema app to mini_service;
revoke update, delete on app.log from mini_service;

grant select on app.tenants to mini_user;
grant update (name) on app.tenants to mini_user;
create policy tenants_select on app.tenants for select to mini_user
    using (id = any (array(select guard.tenants())));
create policy tenants_update on app.tenants for update to mini_user
    using (id = any (array(select guard.governs()))) with check (id = any (array(select guard.governs())));

grant select, insert, update, delete on app.memberships to mini_user;
create policy memberships_select on app.memberships for select to mini_user
    using (user_id = (select guard.me()) or tenant_id = any (array(select guard.tenants())) and ended_at is null);
create policy memberships_insert on app.memberships for insert to mini_user
    with check (tenant_id = any (array(select guard.governs())) and user_id <> (select guard.me()));
create policy memberships_update on app.memberships for update to mini_user
    using (tenant_id = any (array(select guard.governs())) and user_id <> (select guard.me()))
    with check (tenant_id = any (array(select guard.governs())) and user_id <> (select guard.me()));
create policy memberships_delete on app.memberships for delete to mini_user
    using (tenant_id = any (array(select guard.governs())) and user_id <> (select guard.me()));

grant select, insert, update on app.notes to mini_user;
create policy notes_select on app.notes for select to mini_user
    using (user_id = (select guard.me()) and deleted_at is null);
create policy notes_insert on app.notes for insert to mini_user
    with check (user_id = (select guard.me()));
create policy notes_update on app.notes for update to mini_user
    using (user_id = (select guard.me())) with check (user_id = (select guard.me()));

grant select, insert, update, delete on app.units to mini_user;
create policy units_select on app.units for select to mini_user
    using (tenant_id = any (array(select guard.tenants())));
create policy units_insert on app.units for insert to mini_user
    with check (tenant_id = any (array(select guard.governs())));
create policy units_update on app.units for update to mini_user
    using (tenant_id = any (array(select guard.governs()))) with check (tenant_id = any (array(select guard.governs())));
create policy units_delete on app.units for delete to mini_user
    using (tenant_id = any (array(select guard.governs())));

grant select, insert on app.unit_items to mini_user;
create policy unit_items_select on app.unit_items for select to mini_user
    using (unit_id in (select u.id from app.units u));
create policy unit_items_insert on app.unit_items for insert to mini_user
    with check (unit_id in (select u.id from app.units u where u.tenant_id = any (array(select guard.governs()))));

grant select on app.colours to mini_anonymous, mini_user;
create policy colours_select on app.colours for select to mini_anonymous, mini_user using (not retired);

grant select on app.log to mini_user;
create policy log_select on app.log for select to mini_user
    using (tenant_id = any (array(select guard.governs())));

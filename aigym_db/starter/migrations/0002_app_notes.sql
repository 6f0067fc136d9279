-- 0002 app notes
-- from: schema/app/_schema.sql.j2, schema/app/notes.sql.j2, schema/app/_functions/person_id.sql.j2, policies/app.sql.j2
-- migrate:up

-- schema/app/_schema.sql.j2

create schema app authorization app_owner;

comment on schema app is 'Everything, until there is enough of it for a second schema.';

grant usage on schema app to app_anonymous, app_user;

-- schema/app/notes.sql.j2

create table app.notes (
  id uuid not null default gen_random_uuid(),
  owner_id uuid not null,
  title text not null,
  body text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint notes_pkey primary key (id),
  constraint notes_title_check check (length(title) between 1 and 200)
);

comment on table app.notes is 'What a person has written down.';

-- Serves the policies: the notes of one person.
create index notes_owner_id_idx on app.notes (owner_id);

alter table app.notes enable row level security;

-- schema/app/_functions/person_id.sql.j2

-- The application sets the claims of the current person in each transaction:
--   select set_config('request.jwt.claims', '{"sub": "…"}', true);
create function app.person_id() returns uuid
language sql
stable
parallel safe
set search_path = ''
as $$
  select (nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'sub')::uuid
$$;

comment on function app.person_id() is 'The current person; null for a request without claims.';

grant execute on function app.person_id() to app_anonymous, app_user;

-- policies/app.sql.j2

grant select, insert, update, delete on app.notes to app_user;

create policy notes_select on app.notes
  for select to app_user
  using (owner_id = (select app.person_id()));

create policy notes_insert on app.notes
  for insert to app_user
  with check (owner_id = (select app.person_id()));

create policy notes_update on app.notes
  for update to app_user
  using (owner_id = (select app.person_id()))
  with check (owner_id = (select app.person_id()));

create policy notes_delete on app.notes
  for delete to app_user
  using (owner_id = (select app.person_id()));

-- migrate:down

drop table app.notes;
drop function app.person_id();
drop schema app;

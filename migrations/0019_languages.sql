-- 0019 languages
-- from: schema/platform/languages.sql.j2, policies/platform.sql.j2
-- migrate:up

-- schema/platform/languages.sql.j2

create table platform.languages (
  id uuid not null default gen_random_uuid(),
  code text not null,
  name text not null,
  native_name text not null,
  writing_direction text not null default 'ltr',
  text_search_config regconfig not null default 'simple',
  is_supported boolean not null default false,
  is_default boolean not null default false,
  display_order smallint not null default 100,
  completion_percent numeric(5, 2) not null default 0,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint languages_pkey primary key (id),
  constraint languages_code_key unique (code),
  constraint languages_code_check check (code ~ '^[a-z]{2}(-[A-Z]{2})?$'),
  constraint languages_name_check check (length(name) between 1 and 100),
  constraint languages_native_name_check check (length(native_name) between 1 and 100),
  constraint languages_writing_direction_check check (writing_direction in ('ltr', 'rtl', 'ttb')),
  constraint languages_completion_percent_check check (completion_percent between 0 and 100)
);

comment on table platform.languages is 'Referenced by code, which clients send.';

comment on column platform.languages.is_supported is 'Whether people can select the language.';

-- One default at most; the language of people without a preference.
create unique index languages_is_default_key
  on platform.languages ((true))
  where is_default;

create trigger aa_touch
  before update on platform.languages
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on platform.languages
  for each row execute function audit.record_row(
    'diff',
    'id',
    '',
    '',
    ''
  );

alter table platform.languages enable row level security;

revoke all on platform.languages from public;

-- policies/platform.sql.j2

grant usage on schema platform to anon;
grant usage on schema platform to authenticated;
grant usage on schema platform to service_role;

create policy languages_session on platform.languages
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy languages_select on platform.languages
  for select to authenticated
  using (true);

create policy languages_insert on platform.languages
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy languages_update on platform.languages
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy languages_delete on platform.languages
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, delete, insert (code, name, native_name, writing_direction, text_search_config, is_supported, is_default, display_order, completion_percent), update (code, name, native_name, writing_direction, text_search_config, is_supported, is_default, display_order, completion_percent) on platform.languages to authenticated;

grant select, insert, update, delete on platform.languages to service_role;

create policy languages_select_anon on platform.languages
  for select to anon
  using (true);

grant select on platform.languages to anon;

-- migrate:down

revoke usage on schema platform from anon;
revoke usage on schema platform from authenticated;
revoke usage on schema platform from service_role;
drop table platform.languages;

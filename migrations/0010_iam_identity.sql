-- 0010 iam identity
-- from: schema/iam/account_failures.sql.j2, schema/iam/profiles.sql.j2, schema/audit/sessions.sql.j2, schema/iam/profile_private.sql.j2, schema/iam/user_preferences.sql.j2, schema/iam/_functions/address_of.sql.j2, schema/iam/_functions/create_profile.sql.j2, schema/iam/_functions/record_account_failure.sql.j2
-- migrate:up

-- schema/iam/account_failures.sql.j2

create table iam.account_failures (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  step text not null,
  event_code text,
  sqlstate text not null,
  constraint_name text,
  occurred_at timestamptz not null default now(),
  repaired_at timestamptz,
  constraint account_failures_pkey primary key (id),
  constraint account_failures_step_check check (step in ('profile', 'email', 'factor')),
  constraint account_failures_event_code_check check ((event_code is not null) = (step = 'factor')),
  constraint account_failures_sqlstate_check check (length(sqlstate) = 5),
  constraint account_failures_constraint_name_check check (length(constraint_name) <= 63)
);

comment on table iam.account_failures is
  'Triggers on auth never raise: a sign-up, a change of address or a second factor succeeds, and what fails '
  'after it is listed here until iam.repair_profiles() has repaired it. Not partitioned and not audited, '
  'because a missing partition or the audit trigger can be the cause.';

comment on column iam.account_failures.step is
  'What failed: the profile of a new account, the copy of a changed address, the security event of a factor.';

comment on column iam.account_failures.event_code is 'The security event that was not recorded.';

comment on column iam.account_failures.sqlstate is
  'The error code. The message is not stored, because it can contain personal data.';

-- The foreign key to auth.users is in _links.
-- An account's failures; deleting an account.
create index account_failures_user_id_idx on iam.account_failures (user_id);

-- Failures that are not repaired, and for how long.
create index account_failures_occurred_at_idx
  on iam.account_failures (occurred_at)
  where repaired_at is null;

alter table iam.account_failures enable row level security;

revoke all on iam.account_failures from public;

-- Functions in authz read it.
grant select on iam.account_failures to aigym_authz;

-- schema/iam/profiles.sql.j2

create table iam.profiles (
  id uuid not null,
  email text not null,
  full_name text,
  display_name text,
  avatar_url core.http_url,
  job_title text,
  timezone core.time_zone not null default 'UTC',
  locale text not null default 'en-US',
  status text not null default 'active',
  visibility core.visibility_level not null default 'private',
  onboarding_completed boolean not null default false,
  mfa_required boolean not null default false,
  last_seen_at timestamptz,
  trial_ends_at timestamptz,
  erased_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  row_version integer not null default 1,
  constraint profiles_pkey primary key (id),
  constraint profiles_email_check check (length(email) <= 320 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  constraint profiles_full_name_check check (length(full_name) <= 200),
  constraint profiles_display_name_check check (length(display_name) <= 200),
  constraint profiles_job_title_check check (length(job_title) <= 200),
  constraint profiles_locale_check check (length(locale) <= 35 and locale ~ '^[A-Za-z0-9-]+$'),
  constraint profiles_status_check check (status in ('active', 'suspended', 'deactivated', 'erased'))
);

-- The foreign key to auth.users is in _links.
comment on table iam.profiles is 'One row per account of auth.users, created by iam.handle_new_auth_user().';

comment on column iam.profiles.email is
  'A copy of auth.users.email, so that reports need no access to auth. Not unique: an account with single '
  'sign-on can have the address of an account with a password. Column privileges hide it from other people.';

comment on column iam.profiles.status is
  'Any value but active revokes the person''s access to every table at once: see authz.session_ok().';

comment on column iam.profiles.mfa_required is
  'The person must use a second factor even if no role or tenant requires it.';

-- People by address; an erased person's row keeps a meaningless address.
create index profiles_lower_email_idx
  on iam.profiles (lower(email))
  where erased_at is null;

-- Inactive-user report and retention.
create index profiles_last_seen_at_idx
  on iam.profiles (last_seen_at desc)
  where status = 'active';

create trigger aa_touch
  before update on iam.profiles
  for each row execute function core.touch('row_version');

create trigger zz_audit
  after insert or update or delete on iam.profiles
  for each row execute function audit.record_row(
    'diff',
    'id',
    'email,full_name,display_name,avatar_url,job_title',
    'id',
    ''
  );

alter table iam.profiles enable row level security;

revoke all on iam.profiles from public;

-- Functions in authz read it.
grant select on iam.profiles to aigym_authz;

-- schema/audit/sessions.sql.j2

create table audit.sessions (
  session_id uuid not null,
  user_id uuid,
  ip_address inet,
  user_agent text,
  aal text,
  started_at timestamptz not null default now(),
  last_activity_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint sessions_pkey primary key (session_id),
  constraint sessions_user_agent_check check (length(user_agent) <= 500),
  constraint sessions_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade
);

comment on table audit.sessions is
  'A copy of auth.sessions that is kept after the sign-out. Data source of the page "sign out other devices".';

comment on column audit.sessions.session_id is 'The id of the session in auth.sessions.';

comment on column audit.sessions.aal is 'Authenticator assurance level: aal1 with one factor, aal2 with two.';

-- Sessions of a person; the foreign key to the person.
create index sessions_user_id_started_at_idx
  on audit.sessions (user_id, started_at desc);

-- Retention.
create index sessions_started_at_idx
  on audit.sessions (started_at);

alter table audit.sessions enable row level security;

revoke all on audit.sessions from public;

-- schema/iam/profile_private.sql.j2

create table iam.profile_private (
  user_id uuid not null,
  first_name text,
  last_name text,
  phone text,
  date_of_birth date,
  sex_at_birth text,
  notes_enc bytea,
  key_id uuid,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint profile_private_pkey primary key (user_id),
  constraint profile_private_first_name_check check (length(first_name) <= 100),
  constraint profile_private_last_name_check check (length(last_name) <= 100),
  constraint profile_private_phone_check check (length(phone) <= 40),
  constraint profile_private_sex_at_birth_check check (length(sex_at_birth) <= 40),
  constraint profile_private_notes_enc_check check (octet_length(notes_enc) <= 100000),
  constraint profile_private_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade
);

comment on table iam.profile_private is 'Personal and special data of one person.';

comment on column iam.profile_private.notes_enc is 'Encrypted by the client with the person''s data key.';

-- The foreign key to privacy.subject_keys follows with that table.
comment on column iam.profile_private.key_id is 'The data key notes_enc is encrypted with.';

create trigger aa_touch
  before update on iam.profile_private
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.profile_private
  for each row execute function audit.record_row(
    'meta',
    'user_id',
    'first_name,last_name,phone,date_of_birth,sex_at_birth,notes_enc',
    'user_id',
    ''
  );

alter table iam.profile_private enable row level security;

revoke all on iam.profile_private from public;

-- schema/iam/user_preferences.sql.j2

create table iam.user_preferences (
  user_id uuid not null,
  ui jsonb not null default '{}',
  accessibility jsonb not null default '{}',
  marketing_opt_in boolean not null default false,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint user_preferences_pkey primary key (user_id),
  constraint user_preferences_ui_check check (jsonb_typeof(ui) = 'object' and pg_column_size(ui) <= 20000),
  constraint user_preferences_accessibility_check check (
    jsonb_typeof(accessibility) = 'object' and pg_column_size(accessibility) <= 20000
  ),
  constraint user_preferences_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade
);

comment on table iam.user_preferences is 'One row per person who changed a preference.';

comment on column iam.user_preferences.accessibility is
  'Can reveal a disability, so it is classified as special data.';

create trigger aa_touch
  before update on iam.user_preferences
  for each row execute function core.touch();

alter table iam.user_preferences enable row level security;

revoke all on iam.user_preferences from public;

-- schema/iam/_functions/address_of.sql.j2

create function iam.address_of(account uuid, email text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when length(email) <= 320 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$' then email
    else account || '@no-address.invalid'
  end
$$;

comment on function iam.address_of(uuid, text) is
  'The address of an account as iam.profiles stores it. Accounts without an address (phone, anonymous) receive '
  'one in a reserved domain.';

revoke all on function iam.address_of(uuid, text) from public;

-- schema/iam/_functions/create_profile.sql.j2

-- Metadata is written by the person: values of another type are ignored, texts are shortened, an unknown time zone or
-- locale becomes the default. It has no effect on permissions.
create function iam.create_profile(account uuid, email text, metadata jsonb)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  texts jsonb;
  zone text;
  link text;
begin
  select coalesce(jsonb_object_agg(field.key, core.safe_text(field.value #>> '{}', 200)), '{}')
  into texts
  from jsonb_each(case when jsonb_typeof(metadata) = 'object' then metadata else '{}' end) as field
  where field.key in ('full_name', 'name', 'display_name', 'locale')
    and jsonb_typeof(field.value) = 'string';

  begin
    zone := (metadata ->> 'timezone')::core.time_zone;
  exception
    when others then
      zone := null;
  end;

  begin
    link := (metadata ->> 'avatar_url')::core.http_url;
  exception
    when others then
      link := null;
  end;

  insert into iam.profiles as p (id, email, full_name, display_name, avatar_url, timezone, locale)
  values (
    account,
    iam.address_of(account, create_profile.email),
    texts ->> 'full_name',
    coalesce(texts ->> 'display_name', texts ->> 'name'),
    link,
    coalesce(zone, 'UTC'),
    case when texts ->> 'locale' ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$' then texts ->> 'locale' else 'en-US' end
  )
  -- The profile of a repaired account; the person's own changes are kept.
  on conflict (id) do update
  set
    full_name = coalesce(p.full_name, excluded.full_name),
    display_name = coalesce(p.display_name, excluded.display_name),
    avatar_url = coalesce(p.avatar_url, excluded.avatar_url)
  where (p.full_name is null and excluded.full_name is not null)
    or (p.display_name is null and excluded.display_name is not null)
    or (p.avatar_url is null and excluded.avatar_url is not null);
end
$$;

comment on function iam.create_profile(uuid, text, jsonb) is
  'Creates the profile of an account from its address and its metadata, or fills the empty columns of an '
  'existing one.';

revoke all on function iam.create_profile(uuid, text, jsonb) from public;

-- schema/iam/_functions/record_account_failure.sql.j2

create function iam.record_account_failure(
  account uuid,
  step text,
  sqlstate text,
  constraint_name text,
  event_code text default null
)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  raise warning 'step % after a change of account % failed with %', step, account, sqlstate;

  insert into iam.account_failures (user_id, step, event_code, sqlstate, constraint_name)
  values (
    account,
    record_account_failure.step,
    record_account_failure.event_code,
    record_account_failure.sqlstate,
    nullif(record_account_failure.constraint_name, '')
  );
exception
  when others then
    null; -- the warning above is in the server's log
end
$$;

comment on function iam.record_account_failure(uuid, text, text, text, text) is
  'Records a failure for iam.repair_profiles(); never raises.';

revoke all on function iam.record_account_failure(uuid, text, text, text, text) from public;

-- migrate:down

drop table
  iam.user_preferences,
  iam.profile_private,
  audit.sessions,
  iam.profiles,
  iam.account_failures;

drop function iam.record_account_failure(uuid, text, text, text, text);
drop function iam.create_profile(uuid, text, jsonb);
drop function iam.address_of(uuid, text);

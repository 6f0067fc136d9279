-- 0010 iam identity
-- from: schema/iam/profiles.sql.j2, schema/iam/profile_private.sql.j2, schema/iam/user_preferences.sql.j2, schema/iam/_functions/handle_auth_user_email.sql.j2, schema/iam/_functions/handle_new_auth_user.sql.j2
-- migrate:up

-- schema/iam/profiles.sql.j2

create table iam.profiles (
  id uuid not null,
  email text not null,
  full_name text,
  display_name text,
  avatar_url text,
  job_title text,
  timezone text not null default 'UTC',
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
  constraint profiles_id_fkey foreign key (id) references auth.users (id) on delete cascade,
  constraint profiles_email_check check (email ~* '^[^@\s]+@[^@\s]+\.[^@\s]{2,}$'),
  constraint profiles_status_check check (status in ('active', 'suspended', 'deactivated', 'erased'))
);

comment on table iam.profiles is 'One row per account of auth.users, created by iam.handle_new_auth_user().';

comment on column iam.profiles.email is
  'A copy of auth.users.email, so that reports need no access to auth. Column privileges hide it from other '
  'people.';

comment on column iam.profiles.status is
  'Any value but active revokes the person''s access to every table at once: see authz.session_ok().';

comment on column iam.profiles.mfa_required is
  'The person must use a second factor even if no role or tenant requires it.';

-- Addresses of active accounts are unique; an erased person's row keeps a meaningless address.
create unique index profiles_lower_email_key
  on iam.profiles (lower(email))
  where erased_at is null;

-- Inactive-user report and retention.
create index profiles_last_seen_at_idx
  on iam.profiles (last_seen_at desc)
  where status = 'active';

-- Policy: public profiles.
create index profiles_visibility_idx on iam.profiles (visibility);

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

-- schema/iam/_functions/handle_auth_user_email.sql.j2

create function iam.handle_auth_user_email()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update iam.profiles
  set email = coalesce(nullif(new.email, ''), new.id || '@no-address.invalid')
  where id = new.id
    and erased_at is null;

  return null;
end
$$;

comment on function iam.handle_auth_user_email() is
  'Trigger auth_user_updated: keeps the copy of the address in iam.profiles current.';

revoke all on function iam.handle_auth_user_email() from public;

create trigger auth_user_updated
  after update of email on auth.users
  for each row when (old.email is distinct from new.email)
  execute function iam.handle_auth_user_email();

-- schema/iam/_functions/handle_new_auth_user.sql.j2

create function iam.handle_new_auth_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into iam.profiles (id, email, full_name, display_name, avatar_url)
  values (
    new.id,
    -- Accounts without an address (phone, anonymous) receive one in a reserved domain.
    coalesce(nullif(new.email, ''), new.id || '@no-address.invalid'),
    left(new.raw_user_meta_data ->> 'full_name', 200),
    left(coalesce(new.raw_user_meta_data ->> 'display_name', new.raw_user_meta_data ->> 'name'), 200),
    left(new.raw_user_meta_data ->> 'avatar_url', 2000)
  )
  on conflict (id) do nothing;

  return null;
end
$$;

comment on function iam.handle_new_auth_user() is
  'Trigger auth_user_created: creates the profile of a new account. Metadata that a person can edit '
  '(raw_user_meta_data) has no effect on permissions.';

revoke all on function iam.handle_new_auth_user() from public;

create trigger auth_user_created
  after insert on auth.users
  for each row execute function iam.handle_new_auth_user();

-- migrate:down

drop trigger auth_user_created on auth.users;
drop trigger auth_user_updated on auth.users;

drop table
  iam.user_preferences,
  iam.profile_private,
  iam.profiles;

drop function iam.handle_new_auth_user();
drop function iam.handle_auth_user_email();

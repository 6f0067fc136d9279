-- 0004 auth compat
-- from: schema/auth/_schema.sql.j2
-- migrate:up role:none

-- schema/auth/_schema.sql.j2

-- The schema auth belongs to Supabase. On other servers a stand-in with the same tables, types and functions is created,
-- so that all other schemas are equal on every server. Executed as the connecting role: on Supabase it has privileges in
-- auth that aigym_owner lacks.
--
-- One block, because none of it may be executed on Supabase: PostgreSQL checks the privilege to create in a schema before
-- it checks whether the table exists, so `create table if not exists auth.users` fails on Supabase; and functions have no
-- IF NOT EXISTS. The block contains plain SQL, not strings, so that PL/pgSQL parsers can read it.
-- The statements are in _macros/auth.
-- Down: drops the schema if aigym_owner owns it; the schema of Supabase is kept.
do $stand_in$
begin
  -- Read from the catalog: to_regclass() fails without USAGE on the schema.
  if exists (
    select
    from pg_catalog.pg_class
    where relnamespace = to_regnamespace('auth')
      and relname = 'users'
  ) then
    return;
  end if;

  set local role aigym_owner;

  create schema auth authorization aigym_owner;

  comment on schema auth is 'A stand-in for the schema in which Supabase stores accounts.';

  revoke all on schema auth from public;

create type auth.aal_level as enum ('aal1', 'aal2', 'aal3');

create type auth.factor_type as enum ('totp', 'webauthn', 'phone');

create type auth.factor_status as enum ('unverified', 'verified');

create type auth.one_time_token_type as enum (
  'confirmation_token',
  'reauthentication_token',
  'recovery_token',
  'email_change_token_new',
  'email_change_token_current',
  'phone_change_token'
);

create table auth.users (
  instance_id uuid,
  id uuid not null,
  aud varchar(255),
  role varchar(255),
  email varchar(255),
  encrypted_password varchar(255),
  email_confirmed_at timestamptz,
  invited_at timestamptz,
  confirmation_token varchar(255),
  confirmation_sent_at timestamptz,
  recovery_token varchar(255),
  recovery_sent_at timestamptz,
  email_change_token_new varchar(255),
  email_change varchar(255),
  email_change_sent_at timestamptz,
  last_sign_in_at timestamptz,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  is_super_admin boolean,
  created_at timestamptz,
  updated_at timestamptz,
  phone text,
  phone_confirmed_at timestamptz,
  phone_change text default '',
  phone_change_token varchar(255) default '',
  phone_change_sent_at timestamptz,
  confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
  email_change_token_current varchar(255) default '',
  email_change_confirm_status smallint default 0,
  banned_until timestamptz,
  reauthentication_token varchar(255) default '',
  reauthentication_sent_at timestamptz,
  is_sso_user boolean not null default false,
  deleted_at timestamptz,
  is_anonymous boolean not null default false,
  constraint users_pkey primary key (id),
  constraint users_phone_key unique (phone),
  constraint users_email_change_confirm_status_check check (email_change_confirm_status between 0 and 2)
);

comment on table auth.users is 'One row per account.';

create unique index users_email_partial_key on auth.users (email) where not is_sso_user;

alter table auth.users enable row level security;

grant select on auth.users to aigym_authz;

create table auth.identities (
  provider_id text not null,
  user_id uuid not null,
  identity_data jsonb not null,
  provider text not null,
  last_sign_in_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  email text generated always as (lower(identity_data ->> 'email')) stored,
  id uuid not null default gen_random_uuid(),
  constraint identities_pkey primary key (id),
  constraint identities_provider_id_provider_key unique (provider_id, provider),
  constraint identities_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade
);

comment on table auth.identities is 'The sign-in methods of an account: e-mail, phone, another provider.';

create index identities_user_id_idx on auth.identities (user_id);

create index identities_email_idx on auth.identities (email text_pattern_ops);

alter table auth.identities enable row level security;

create table auth.mfa_factors (
  id uuid not null,
  user_id uuid not null,
  friendly_name text,
  factor_type auth.factor_type not null,
  status auth.factor_status not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  secret text,
  phone text,
  last_challenged_at timestamptz,
  web_authn_credential jsonb,
  web_authn_aaguid uuid,
  last_webauthn_challenge_data jsonb,
  constraint mfa_factors_pkey primary key (id),
  constraint mfa_factors_last_challenged_at_key unique (last_challenged_at),
  constraint mfa_factors_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade
);

comment on table auth.mfa_factors is
  'Second factors. Row-level security without a policy, as in Supabase: only a function whose owner bypasses '
  'it can test whether a person is enrolled.';

create index mfa_factors_user_id_idx on auth.mfa_factors (user_id);

alter table auth.mfa_factors enable row level security;

grant select on auth.mfa_factors to aigym_authz;

create table auth.mfa_challenges (
  id uuid not null,
  factor_id uuid not null,
  created_at timestamptz not null,
  verified_at timestamptz,
  ip_address inet not null,
  otp_code text,
  web_authn_session_data jsonb,
  constraint mfa_challenges_pkey primary key (id),
  constraint mfa_challenges_factor_id_fkey foreign key (factor_id) references auth.mfa_factors (id) on delete cascade
);

comment on table auth.mfa_challenges is 'Challenges sent to a second factor.';

create index mfa_challenges_factor_id_idx on auth.mfa_challenges (factor_id);

alter table auth.mfa_challenges enable row level security;

create table auth.sessions (
  id uuid not null,
  user_id uuid not null,
  created_at timestamptz,
  updated_at timestamptz,
  factor_id uuid,
  aal auth.aal_level,
  not_after timestamptz,
  refreshed_at timestamp,
  user_agent text,
  ip inet,
  tag text,
  oauth_client_id uuid,
  refresh_token_hmac_key text,
  refresh_token_counter bigint,
  scopes text,
  constraint sessions_pkey primary key (id),
  constraint sessions_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade
);

comment on table auth.sessions is
  'Sessions with their authenticator assurance level: aal1 with one factor, aal2 with two.';

create index sessions_user_id_idx on auth.sessions (user_id);

alter table auth.sessions enable row level security;

create table auth.mfa_amr_claims (
  session_id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  authentication_method text not null,
  id uuid not null,
  constraint mfa_amr_claims_pkey primary key (id),
  constraint mfa_amr_claims_session_id_authentication_method_key unique (session_id, authentication_method),
  constraint mfa_amr_claims_session_id_fkey foreign key (session_id) references auth.sessions (id) on delete cascade
);

comment on table auth.mfa_amr_claims is 'The authentication methods of a session.';

alter table auth.mfa_amr_claims enable row level security;

create table auth.refresh_tokens (
  instance_id uuid,
  id bigint not null generated by default as identity,
  token varchar(255),
  user_id varchar(255),
  revoked boolean,
  created_at timestamptz,
  updated_at timestamptz,
  parent varchar(255),
  session_id uuid,
  constraint refresh_tokens_pkey primary key (id),
  constraint refresh_tokens_token_key unique (token),
  constraint refresh_tokens_session_id_fkey foreign key (session_id) references auth.sessions (id) on delete cascade
);

comment on table auth.refresh_tokens is 'The tokens that renew a session.';

create index refresh_tokens_session_id_idx on auth.refresh_tokens (session_id);

alter table auth.refresh_tokens enable row level security;

create table auth.one_time_tokens (
  id uuid not null,
  user_id uuid not null,
  token_type auth.one_time_token_type not null,
  token_hash text not null,
  relates_to text not null,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint one_time_tokens_pkey primary key (id),
  constraint one_time_tokens_user_id_token_type_key unique (user_id, token_type),
  constraint one_time_tokens_token_hash_check check (char_length(token_hash) > 0),
  constraint one_time_tokens_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade
);

comment on table auth.one_time_tokens is 'Tokens sent by e-mail or phone: confirmation, recovery, change of address.';

create index one_time_tokens_token_hash_idx on auth.one_time_tokens using hash (token_hash);

create index one_time_tokens_relates_to_idx on auth.one_time_tokens using hash (relates_to);

alter table auth.one_time_tokens enable row level security;

create table auth.audit_log_entries (
  instance_id uuid,
  id uuid not null,
  payload json,
  created_at timestamptz,
  ip_address varchar(64) not null default '',
  constraint audit_log_entries_pkey primary key (id)
);

comment on table auth.audit_log_entries is 'The log of the authentication server.';

alter table auth.audit_log_entries enable row level security;

-- Without SET search_path, as in Supabase, so that PostgreSQL can inline them.
create function auth.jwt()
returns jsonb
language sql
stable
parallel safe
as $$
  select nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb
$$;

comment on function auth.jwt() is 'The claims of the token of the request; null without a token.';

create function auth.uid()
returns uuid
language sql
stable
parallel safe
as $$
  select (nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'sub')::pg_catalog.uuid
$$;

comment on function auth.uid() is 'The account in the token; null if no person is signed in.';

create function auth.role()
returns text
language sql
stable
parallel safe
as $$
  select nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'role'
$$;

comment on function auth.role() is 'The database role in the token: anon, authenticated or service_role.';

create function auth.email()
returns text
language sql
stable
parallel safe
as $$
  select nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'email'
$$;

comment on function auth.email() is 'The e-mail address in the token.';

grant usage on schema auth to anon, authenticated, service_role, aigym_authz, aigym_job;

grant execute on function auth.jwt(), auth.uid(), auth.role(), auth.email()
  to anon, authenticated, service_role, aigym_authz, aigym_job;

  set local role none;
end
$stand_in$;

-- The privileges in the schema of Supabase, of which the connecting role grants those that it can grant. Hosted Supabase
-- allows `postgres` to grant SELECT on the tables but not USAGE on the schema; anon has USAGE, and members of anon inherit
-- it. The stand-in has granted both.
do $$
declare
  grantee text;
begin
  foreach grantee in array array['aigym_owner', 'aigym_authz', 'aigym_job'] loop
    if has_schema_privilege(grantee, 'auth', 'usage') then
      continue;
    end if;

    begin
      if has_schema_privilege('auth', 'usage with grant option') then
        execute format('grant usage on schema auth to %I', grantee);
      else
        execute format('grant anon to %I', grantee);
      end if;
    exception
      when insufficient_privilege then
        null; -- missing privileges are reported below
    end;
  end loop;

  begin
    if not has_table_privilege('aigym_authz', 'auth.users', 'select') then
      grant select on auth.users to aigym_authz;
    end if;

    if not has_table_privilege('aigym_authz', 'auth.mfa_factors', 'select') then
      grant select on auth.mfa_factors to aigym_authz;
    end if;
  exception
    when insufficient_privilege then
      null; -- missing privileges are reported below
  end;
end
$$;

-- The objects that other schemas depend on, verified in the stand-in and in Supabase.
do $$
declare
  missing text;
begin
  if not has_schema_privilege('aigym_owner', 'auth', 'usage') then
    raise exception 'aigym_owner lacks USAGE on schema auth'
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant usage on schema auth to aigym_owner;';
  end if;

  select string_agg(format('auth.%s.%s', required.table_name, required.column_name), ', ')
  into missing
  from (
    values
      ('users', 'id'),
      ('users', 'email'),
      ('users', 'phone'),
      ('users', 'raw_user_meta_data'),
      ('users', 'is_anonymous'),
      ('users', 'banned_until'),
      ('users', 'deleted_at'),
      ('sessions', 'id'),
      ('sessions', 'user_id'),
      ('sessions', 'aal'),
      ('mfa_factors', 'user_id'),
      ('mfa_factors', 'status')
  ) as required (table_name, column_name)
  where not exists (
    select
    from pg_catalog.pg_attribute as a
    where a.attrelid = to_regclass(format('auth.%I', required.table_name))
      and a.attname = required.column_name
      and not a.attisdropped
  );

  if missing is not null then
    raise exception 'schema auth lacks the columns %', missing
      using hint = 'Upgrade Supabase Auth, or drop the schema auth so that the stand-in is created.';
  end if;

  select string_agg(signature, ', ')
  into missing
  from unnest(array['auth.uid()', 'auth.role()', 'auth.email()', 'auth.jwt()']) as required (signature)
  where to_regprocedure(signature) is null;

  if missing is not null then
    raise exception 'schema auth lacks the functions %', missing
      using hint = 'Upgrade Supabase Auth, or drop the schema auth so that the stand-in is created.';
  end if;

  if not has_schema_privilege('aigym_authz', 'auth', 'usage')
    or not has_table_privilege('aigym_authz', 'auth.users', 'select')
  then
    raise exception 'aigym_authz cannot read auth.users'
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant usage on schema auth to aigym_authz; '
              'grant select on auth.users to aigym_authz;';
  end if;

  if not has_table_privilege('aigym_authz', 'auth.mfa_factors', 'select') then
    raise warning 'aigym_authz cannot read auth.mfa_factors: policies require a second factor from every person'
      using hint = 'Ask an administrator to run: grant select on auth.mfa_factors to aigym_authz;';
  end if;
end
$$;

-- migrate:down role:none

-- Drops the schema only if aigym_owner owns it; the schema of Supabase is kept.
do $$
begin
  if exists (
    select
    from pg_catalog.pg_namespace
    where nspname = 'auth'
      and nspowner = 'aigym_owner'::regrole
  ) then
    drop schema auth cascade;
  end if;
end
$$;

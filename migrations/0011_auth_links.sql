-- 0011 auth links
-- from: schema/audit/_functions/record_password.sql.j2, schema/audit/_functions/record_session.sql.j2, schema/iam/_functions/handle_auth_factor.sql.j2, schema/iam/_functions/handle_auth_user_email.sql.j2, schema/iam/_functions/handle_new_auth_user.sql.j2, schema/iam/_links.sql.j2
-- migrate:up role:none

-- schema/audit/_functions/record_password.sql.j2

-- Fires on auth.users: an error would fail the change, so it is reported as a warning.
create function audit.record_password()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform audit.log_security('password.changed', action => 'change_password', risk => 'medium', person => new.id);

  return null;
exception
  when others then
    raise warning 'the change of a password was not recorded: %', sqlerrm;
    return null;
end
$$;

comment on function audit.record_password() is 'Trigger password_event of auth.users: records a new password.';

alter function audit.record_password() owner to aigym_owner;

revoke all on function audit.record_password() from public;

create trigger password_event
  after update of encrypted_password on auth.users
  for each row when (old.encrypted_password is distinct from new.encrypted_password)
  execute function audit.record_password();

-- schema/audit/_functions/record_session.sql.j2

-- Fires on auth.sessions: an error would fail the sign-in, so it is reported as a warning.
create function audit.record_session()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  session record;
begin
  if tg_op = 'DELETE' then
    session := old;
  else
    session := new;
  end if;

  insert into audit.sessions as known (session_id, user_id, ip_address, user_agent, aal, started_at, last_activity_at)
  select
    session.id,
    p.id,
    audit.network_of(session.ip),
    left(session.user_agent, 500),
    session.aal::text,
    coalesce(session.created_at, now()),
    coalesce(session.refreshed_at at time zone 'UTC', session.updated_at, session.created_at, now())
  from iam.profiles as p
  where p.id = session.user_id
  on conflict (session_id) do update
  set
    aal = excluded.aal,
    last_activity_at = greatest(known.last_activity_at, excluded.last_activity_at),
    ended_at = case when tg_op = 'DELETE' then now() end;

  if tg_op = 'INSERT' then
    perform audit.log_security('login.succeeded', action => 'sign_in', person => session.user_id);
  elsif tg_op = 'DELETE' then
    perform audit.log_security('login.ended', action => 'sign_out', person => session.user_id);
  end if;

  return null;
exception
  when others then
    raise warning 'the session % was not recorded: %', session.id, sqlerrm;
    return null;
end
$$;

comment on function audit.record_session() is
  'Trigger session_event of auth.sessions: copies the session to audit.sessions and records sign-in and sign-out.';

alter function audit.record_session() owner to aigym_owner;

revoke all on function audit.record_session() from public;

create trigger session_event
  after insert or update of aal, refreshed_at or delete on auth.sessions
  for each row execute function audit.record_session();

-- schema/iam/_functions/handle_auth_factor.sql.j2

create function iam.handle_auth_factor()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  event_code text;
  failed_state text;
  violated text;
begin
  if tg_op <> 'INSERT' and old.status = 'verified' then
    event_code := case when tg_op = 'DELETE' or new.status <> 'verified' then 'mfa.removed' end;
  elsif tg_op <> 'DELETE' and new.status = 'verified' then
    event_code := 'mfa.enrolled';
  end if;

  if event_code is null then
    return null;
  end if;

  begin
    perform audit.log_security(event_code, 'second_factor', person => coalesce(new.user_id, old.user_id));
  exception
    when others then
      get stacked diagnostics failed_state = returned_sqlstate, violated = constraint_name;
      perform iam.record_account_failure(
        coalesce(new.user_id, old.user_id), 'factor', failed_state, violated, event_code
      );
  end;

  return null;
end
$$;

comment on function iam.handle_auth_factor() is
  'Trigger mfa_event: records a second factor that was added or removed. Never raises.';

alter function iam.handle_auth_factor() owner to aigym_owner;

revoke all on function iam.handle_auth_factor() from public;

create trigger mfa_event
  after insert or update of status or delete on auth.mfa_factors
  for each row execute function iam.handle_auth_factor();

-- schema/iam/_functions/handle_auth_user_email.sql.j2

create function iam.handle_auth_user_email()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  failed_state text;
  violated text;
begin
  begin
    update iam.profiles
    set email = iam.address_of(new.id, new.email)
    where id = new.id
      and erased_at is null;
  exception
    when others then
      get stacked diagnostics failed_state = returned_sqlstate, violated = constraint_name;
      perform iam.record_account_failure(new.id, 'email', failed_state, violated);
  end;

  return null;
end
$$;

comment on function iam.handle_auth_user_email() is
  'Trigger auth_user_updated: keeps the copy of the address in iam.profiles current. Never raises.';

alter function iam.handle_auth_user_email() owner to aigym_owner;

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
declare
  failed_state text;
  violated text;
begin
  begin
    perform iam.create_profile(new.id, new.email, new.raw_user_meta_data);
  exception
    when others then
      get stacked diagnostics failed_state = returned_sqlstate, violated = constraint_name;

      begin
        perform iam.create_profile(new.id, new.email, null);
      exception
        when others then
          null; -- the failure is recorded below
      end;

      perform iam.record_account_failure(new.id, 'profile', failed_state, violated);
  end;

  return null;
end
$$;

comment on function iam.handle_new_auth_user() is
  'Trigger auth_user_created: creates the profile of a new account. Never raises: the account is created '
  'even if its profile is not.';

alter function iam.handle_new_auth_user() owner to aigym_owner;

revoke all on function iam.handle_new_auth_user() from public;

create trigger auth_user_created
  after insert on auth.users
  for each row execute function iam.handle_new_auth_user();

-- schema/iam/_links.sql.j2

-- The foreign keys to auth, executed as the connecting role: on Supabase it has REFERENCES on auth.users, and aigym_owner
-- cannot be granted it.
-- allow foreign-key-validated: iam.profiles is empty, because the trigger that fills it is created in the same migration
alter table iam.profiles
  add constraint profiles_id_fkey foreign key (id) references auth.users (id) on delete cascade;

-- allow foreign-key-validated: iam.account_failures is empty, because the triggers that fill it follow
alter table iam.account_failures
  add constraint account_failures_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade;

-- migrate:down role:none

alter table iam.account_failures drop constraint account_failures_user_id_fkey;
alter table iam.profiles drop constraint profiles_id_fkey;
-- With their triggers: only the owner of a table in auth can drop a trigger of it.
drop function iam.handle_new_auth_user() cascade;
drop function iam.handle_auth_user_email() cascade;
drop function iam.handle_auth_factor() cascade;
drop function audit.record_session() cascade;
drop function audit.record_password() cascade;

-- 0006 auth links role none
-- from: schema/iam/_functions/handle_auth_factor.sql.j2, schema/iam/_functions/handle_auth_user_email.sql.j2, schema/iam/_functions/handle_new_auth_user.sql.j2, schema/iam/_links.sql.j2
-- migrate:up role:none

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

-- 0005 auth links
-- from: schema/iam/_functions/handle_auth_user_email.sql.j2, schema/iam/_functions/handle_new_auth_user.sql.j2
-- migrate:up

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

-- With their triggers: only the owner of a table in auth can drop a trigger of it.
drop function iam.handle_new_auth_user() cascade;
drop function iam.handle_auth_user_email() cascade;

-- 0025 accounts and memberships
-- from: schema/iam/_functions/create_profile.sql.j2, schema/iam/_functions/end_membership.sql.j2
-- migrate:up

-- schema/iam/_functions/create_profile.sql.j2

-- Metadata is written by the person: values of another type are ignored, texts are shortened, an unknown time zone or
-- locale becomes the default. It has no effect on permissions.
create or replace function iam.create_profile(account uuid, email text, metadata jsonb)
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
  -- The profile of a repaired account; the person's own changes are kept, and an erased profile remains empty.
  on conflict (id) do update
  set
    full_name = coalesce(p.full_name, excluded.full_name),
    display_name = coalesce(p.display_name, excluded.display_name),
    avatar_url = coalesce(p.avatar_url, excluded.avatar_url)
  where p.erased_at is null
    and (
      (p.full_name is null and excluded.full_name is not null)
      or (p.display_name is null and excluded.display_name is not null)
      or (p.avatar_url is null and excluded.avatar_url is not null)
    );
end
$$;

-- schema/iam/_functions/end_membership.sql.j2

create or replace function iam.end_membership()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  ended constant boolean := new.status = 'terminated' and old.status <> 'terminated';
  -- A new membership after one that was terminated or had expired.
  renewed constant boolean := new.status <> 'terminated'
    and (
      old.status = 'terminated'
      or (coalesce(old.expires_at <= now(), false) and new.expires_at is distinct from old.expires_at)
    );
begin
  if not (ended or renewed) then
    if new.status = 'suspended' and old.status <> 'suspended' then
      perform iam.revoke_invitations_of(new.user_id, new.tenant_id);
    end if;

    return null;
  end if;

  update iam.user_roles
  set revoked_at = now()
  where tenant_id = new.tenant_id
    and user_id = new.user_id
    and revoked_at is null;

  -- Denials remain: a person does not lose them by leaving.
  delete from iam.permission_grants
  where tenant_id = new.tenant_id
    and user_id = new.user_id
    and effect = 'allow';

  delete from iam.unit_members
  where tenant_id = new.tenant_id
    and user_id = new.user_id;

  if ended then
    perform iam.revoke_invitations_of(new.user_id, new.tenant_id);

    update iam.invitations as i
    set revoked_at = now()
    from iam.profiles as p
    where p.id = new.user_id
      and i.tenant_id = new.tenant_id
      and lower(i.email) = lower(p.email)
      and i.accepted_at is null
      and i.revoked_at is null;
  end if;

  return null;
end
$$;

-- migrate:down

CREATE OR REPLACE FUNCTION iam.end_membership()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  ended constant boolean := new.status = 'terminated' and old.status <> 'terminated';
  -- A new membership after one that was terminated or had expired.
  renewed constant boolean := new.status <> 'terminated'
    and (old.status = 'terminated' or (old.expires_at <= now() and new.expires_at is distinct from old.expires_at));
begin
  if not (ended or renewed) then
    if new.status = 'suspended' and old.status <> 'suspended' then
      perform iam.revoke_invitations_of(new.user_id, new.tenant_id);
    end if;

    return null;
  end if;

  update iam.user_roles
  set revoked_at = now()
  where tenant_id = new.tenant_id
    and user_id = new.user_id
    and revoked_at is null;

  -- Denials remain: a person does not lose them by leaving.
  delete from iam.permission_grants
  where tenant_id = new.tenant_id
    and user_id = new.user_id
    and effect = 'allow';

  delete from iam.unit_members
  where tenant_id = new.tenant_id
    and user_id = new.user_id;

  if ended then
    perform iam.revoke_invitations_of(new.user_id, new.tenant_id);

    update iam.invitations as i
    set revoked_at = now()
    from iam.profiles as p
    where p.id = new.user_id
      and i.tenant_id = new.tenant_id
      and lower(i.email) = lower(p.email)
      and i.accepted_at is null
      and i.revoked_at is null;
  end if;

  return null;
end
$function$;

CREATE OR REPLACE FUNCTION iam.create_profile(account uuid, email text, metadata jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

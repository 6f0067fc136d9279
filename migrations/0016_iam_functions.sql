-- 0016 iam functions
-- from: schema/iam/_functions/accept_invitation.sql.j2, schema/iam/_functions/accept_membership.sql.j2, schema/iam/_functions/create_tenant.sql.j2, schema/iam/_functions/grant_role.sql.j2, schema/iam/_functions/invite.sql.j2, schema/iam/_functions/revoke_role.sql.j2
-- migrate:up

-- schema/iam/_functions/accept_invitation.sql.j2

create function iam.accept_invitation(token text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  me uuid := auth.uid();
  open_invitation iam.invitations;
  wanted_code text;
begin
  perform authz.assert_session('enrolled');

  select i.*
  into open_invitation
  from iam.invitations as i
  join iam.profiles as p on p.id = me and lower(p.email) = lower(i.email)
  join iam.tenants as t on t.id = i.tenant_id and t.deleted_at is null
  where i.token_hash = sha256(accept_invitation.token::bytea)
    and i.accepted_at is null
    and i.revoked_at is null
    and i.expires_at > now()
  for update of i;

  -- The same error for an unknown, used or expired invitation and for one of another address.
  if not found then
    raise exception 'the invitation is not valid for this account'
      using errcode = 'insufficient_privilege';
  end if;

  -- An admin can insert the row without iam.invite().
  select r.code
  into wanted_code
  from iam.roles as r
  where r.id = open_invitation.role_id
    and r.is_assignable
    and r.deleted_at is null
    and r.tier <> 'super_admin'
    and r.role_type <> 'auditor';

  if not found then
    raise exception 'the role of this invitation cannot be granted by invitation'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.memberships as m (tenant_id, user_id, status, invited_by, approved_by, approved_at, created_by)
  values (
    open_invitation.tenant_id, me, 'active', open_invitation.invited_by, open_invitation.invited_by, now(), me
  )
  on conflict (tenant_id, user_id) do update
    set status = 'active', ended_at = null, invited_by = excluded.invited_by
    where m.status <> 'suspended';

  if not found then
    raise exception 'your membership is suspended'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, granted_by, reason, created_by)
  values (me, open_invitation.role_id, open_invitation.tenant_id, open_invitation.invited_by, 'accepted an invitation', me)
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null do nothing;

  if open_invitation.unit_id is not null then
    insert into iam.unit_members (tenant_id, unit_id, user_id, created_by)
    values (open_invitation.tenant_id, open_invitation.unit_id, me, me)
    on conflict (unit_id, user_id) do nothing;
  end if;

  update iam.invitations
  set accepted_at = now(), accepted_by = me
  where id = open_invitation.id;

  perform audit.log_security(
    'invitation.accepted',
    action => 'accept_invitation',
    resource => wanted_code,
    risk => 'medium',
    tenant => open_invitation.tenant_id,
    details => jsonb_build_object('invitation', open_invitation.id, 'invited_by', open_invitation.invited_by)
  );

  return open_invitation.tenant_id;
end
$$;

comment on function iam.accept_invitation(text) is
  'Makes the caller a member with the role of the invitation and returns the tenant. The invitation must be '
  'open and addressed to the caller''s own address.';

revoke all on function iam.accept_invitation(text) from public;

grant execute on function iam.accept_invitation(text) to authenticated;

-- schema/iam/_functions/accept_membership.sql.j2

create function iam.accept_membership(tenant uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform authz.assert_session('enrolled');

  update iam.memberships as m
  set status = 'active', approved_at = now(), ended_at = null
  from iam.tenants as t
  where m.tenant_id = accept_membership.tenant
    and m.user_id = auth.uid()
    and m.status = 'invited'
    and t.id = m.tenant_id
    and t.deleted_at is null;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'invitation.accepted',
    action => 'accept_membership',
    resource => 'iam.memberships',
    tenant => accept_membership.tenant
  );

  return true;
end
$$;

comment on function iam.accept_membership(uuid) is
  'Activates the caller''s membership that an admin of the tenant has created; returns false if there is none '
  'to accept.';

revoke all on function iam.accept_membership(uuid) from public;

grant execute on function iam.accept_membership(uuid) to authenticated;

-- schema/iam/_functions/create_tenant.sql.j2

create function iam.create_tenant(
  kind iam.tenant_kind,
  slug text,
  name text,
  parent_id uuid default null,
  institution_type text default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  founder uuid := auth.uid();
  founded uuid;
begin
  perform authz.assert_session('enrolled');

  if create_tenant.parent_id is not null
    and not (create_tenant.parent_id = any (array(select authz.admin_tenant_ids())))
  then
    raise exception 'only an admin of the parent tenant can create a tenant below it'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.tenants (kind, slug, name, parent_id, created_by)
  values (create_tenant.kind, create_tenant.slug, core.safe_text(create_tenant.name, 255), create_tenant.parent_id, founder)
  returning id
  into founded;

  case create_tenant.kind
    when 'community' then
      insert into iam.communities (id, created_by) values (founded, founder);
    when 'organization' then
      insert into iam.organizations (id, created_by) values (founded, founder);
    when 'institution' then
      insert into iam.institutions (id, institution_type, created_by)
      values (founded, coalesce(create_tenant.institution_type, 'gym'), founder);
  end case;

  insert into iam.memberships (tenant_id, user_id, status, approved_by, approved_at, created_by)
  values (founded, founder, 'active', founder, now(), founder);

  insert into iam.user_roles (user_id, role_id, tenant_id, granted_by, reason, created_by)
  select founder, r.id, founded, founder, 'founded the tenant', founder
  from iam.roles as r
  where r.code = 'owner';

  if not found then
    raise exception 'role owner does not exist'
      using errcode = 'no_data_found',
            hint = 'Load the reference seed first.';
  end if;

  perform audit.log_security(
    'tenant.created',
    action => 'create_tenant',
    resource => 'iam.tenants',
    risk => 'medium',
    tenant => founded,
    details => jsonb_build_object('kind', create_tenant.kind, 'slug', create_tenant.slug, 'parent', create_tenant.parent_id)
  );

  return founded;
end
$$;

comment on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) is
  'Creates a tenant with the subtype row of its kind and makes the caller its owner. Only admins of a tenant '
  'can create a tenant below it.';

revoke all on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) from public;

grant execute on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) to authenticated;

-- schema/iam/_functions/grant_role.sql.j2

create function iam.grant_role(
  person uuid,
  role_code text,
  tenant uuid default null,
  unit uuid default null,
  expires timestamptz default null,
  reason text default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted_id uuid;
  wanted_tier iam.role_tier;
  granted uuid;
begin
  perform authz.assert_session('always');

  if person = auth.uid() then
    raise exception 'a role cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  select r.id, r.tier
  into wanted_id, wanted_tier
  from iam.roles as r
  where r.code = role_code
    and r.is_assignable
    and r.deleted_at is null
    -- Super admins and auditors have roles on the platform, all others in a tenant.
    and (r.tier = 'super_admin' or r.role_type = 'auditor') = (tenant is null);

  if not found then
    raise exception 'role % does not exist or cannot be granted %', role_code,
      case when tenant is null then 'on the platform' else 'in a tenant' end
      using errcode = 'no_data_found';
  end if;

  if not authz.may_grant(wanted_tier, tenant) then
    raise exception 'permission denied to grant role %', role_code
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null
    and not exists (
      select
      from iam.memberships as m
      where m.tenant_id = tenant
        and m.user_id = person
        and m.status = 'active'
    )
  then
    raise exception 'the person is not an active member of the tenant'
      using errcode = 'invalid_parameter_value';
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, unit_id, granted_by, expires_at, reason, created_by)
  values (person, wanted_id, tenant, unit, auth.uid(), expires, grant_role.reason, auth.uid())
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null
  do update
    set expires_at = excluded.expires_at, granted_by = excluded.granted_by, reason = excluded.reason
  returning id
  into granted;

  perform audit.log_security(
    'role.granted',
    action => 'grant_role',
    resource => role_code,
    risk => case when wanted_tier = 'end_user' then 'medium' else 'high' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object('user_role', granted, 'granted_by', auth.uid(), 'unit', unit, 'expires', expires),
    person => person
  );

  return granted;
end
$$;

comment on function iam.grant_role(uuid, text, uuid, uuid, timestamptz, text) is
  'Grants a person a role, or changes the expiry of a granted role, and returns the id of the row. Requires a '
  'second factor. Callers cannot grant a role to themselves, above their own tier, or in a tenant that they '
  'do not administer.';

revoke all on function iam.grant_role(uuid, text, uuid, uuid, timestamptz, text) from public;

grant execute on function iam.grant_role(uuid, text, uuid, uuid, timestamptz, text) to authenticated;

-- schema/iam/_functions/invite.sql.j2

create function iam.invite(tenant uuid, email text, role_code text default 'member', unit uuid default null)
returns table (invitation_id uuid, token text)
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted_id uuid;
  wanted_tier iam.role_tier;
begin
  perform authz.assert_session('always');

  select r.id, r.tier
  into wanted_id, wanted_tier
  from iam.roles as r
  where r.code = role_code
    and r.is_assignable
    and r.deleted_at is null
    and r.tier <> 'super_admin'
    and r.role_type <> 'auditor';

  if not found or tenant is null or not authz.may_grant(wanted_tier, tenant) then
    raise exception 'permission denied to invite as %', role_code
      using errcode = 'insufficient_privilege';
  end if;

  -- Two random UUIDs: 244 bits from the server's strong source.
  token := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');

  insert into iam.invitations (tenant_id, email, role_id, unit_id, token_hash, invited_by, created_by)
  values (tenant, lower(btrim(invite.email)), wanted_id, unit, sha256(token::bytea), auth.uid(), auth.uid())
  returning id
  into invitation_id;

  perform audit.log_security(
    'invitation.created',
    action => 'invite',
    resource => role_code,
    risk => case when wanted_tier = 'end_user' then 'low' else 'high' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object('invitation', invitation_id, 'unit', unit)
  );

  return next;
end
$$;

comment on function iam.invite(uuid, text, text, uuid) is
  'Invites an address to a tenant that the caller administers. Returns the token once, for the mail; only its '
  'hash is stored.';

revoke all on function iam.invite(uuid, text, text, uuid) from public;

grant execute on function iam.invite(uuid, text, text, uuid) to authenticated;

-- schema/iam/_functions/revoke_role.sql.j2

create function iam.revoke_role(user_role uuid, reason text default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  holder uuid;
  tenant uuid;
  revoked_code text;
  revoked_tier iam.role_tier;
begin
  perform authz.assert_session('always');

  select ur.user_id, ur.tenant_id, r.code, r.tier
  into holder, tenant, revoked_code, revoked_tier
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  where ur.id = user_role
    and ur.revoked_at is null
  for update of ur;

  -- The same result for a role that does not exist and for one of a tenant that the caller does not administer.
  if not found or not authz.may_grant(revoked_tier, tenant) then
    return false;
  end if;

  -- The caller keeps their own role, so that a tenant always has an admin.
  if holder = auth.uid() then
    raise exception 'a role cannot be revoked from oneself'
      using errcode = 'insufficient_privilege';
  end if;

  update iam.user_roles
  set revoked_at = now(), reason = coalesce(revoke_role.reason, user_roles.reason)
  where id = user_role;

  perform audit.log_security(
    'role.revoked',
    action => 'revoke_role',
    resource => revoked_code,
    risk => case when revoked_tier = 'end_user' then 'medium' else 'high' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object('user_role', user_role, 'revoked_by', auth.uid()),
    person => holder
  );

  return true;
end
$$;

comment on function iam.revoke_role(uuid, text) is
  'Revokes a granted role at once. Returns false if it does not exist or the caller cannot revoke it. The '
  'rules of iam.grant_role() apply.';

revoke all on function iam.revoke_role(uuid, text) from public;

grant execute on function iam.revoke_role(uuid, text) to authenticated;

-- migrate:down

drop function iam.revoke_role(uuid, text);
drop function iam.invite(uuid, text, text, uuid);
drop function iam.grant_role(uuid, text, uuid, uuid, timestamp with time zone, text);
drop function iam.create_tenant(iam.tenant_kind, text, text, uuid, text);
drop function iam.accept_membership(uuid);
drop function iam.accept_invitation(text);

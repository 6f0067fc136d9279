-- 0017 iam functions
-- from: schema/iam/_functions/accept_invitation.sql.j2, schema/iam/_functions/access_review.sql.j2, schema/iam/_functions/assert_other_owner.sql.j2, schema/iam/_functions/create_tenant.sql.j2, schema/iam/_functions/grant_permission.sql.j2, schema/iam/_functions/grant_role.sql.j2, schema/iam/_functions/hand_over_ownership.sql.j2, schema/iam/_functions/invite.sql.j2, schema/iam/_functions/join_by_domain.sql.j2, schema/iam/_functions/lock_tenant.sql.j2, schema/iam/_functions/repair_profiles.sql.j2, schema/iam/_functions/request_membership.sql.j2, schema/iam/_functions/revoke_invitation.sql.j2, schema/iam/_functions/revoke_permission.sql.j2, schema/iam/_functions/revoke_role.sql.j2, schema/iam/_functions/set_membership_status.sql.j2, schema/iam/_functions/set_role_permission.sql.j2, schema/iam/_functions/set_tenant_status.sql.j2
-- migrate:up

-- schema/iam/_functions/accept_invitation.sql.j2

create function iam.accept_invitation(token text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  open_invitation iam.invitations;
  wanted_code text;
begin
  perform authz.assert_session('enrolled');

  select i.*
  into open_invitation
  from iam.invitations as i
  where i.token_hash = sha256(accept_invitation.token::bytea);

  if found then
    perform iam.lock_tenant(open_invitation.tenant_id);
  end if;

  select i.*
  into open_invitation
  from iam.invitations as i
  join iam.profiles as p on p.id = me and lower(p.email) = lower(i.email)
  join iam.tenants as t on t.id = i.tenant_id
  -- The inviter is another, active person who can still invite with this role.
  join iam.profiles as inviter on inviter.id = i.invited_by
  where i.id = open_invitation.id
    and i.accepted_at is null
    and i.revoked_at is null
    and i.expires_at > now()
    and t.status in ('trial', 'active') and t.deleted_at is null
    and inviter.id <> me
    and inviter.status = 'active'
    and authz.account_is_open(inviter.id)
    and i.tenant_id in (
      select authz.person_governed_with(i.invited_by, 'member.invite')
      union
      select authz.supported_tenant_ids(i.invited_by)
    )
    and authz.rank_in(i.invited_by, i.tenant_id) >= authz.role_rank(i.role_id)
  for update of i;

  -- The same error for an unknown, used, expired or ended invitation and for one of another address.
  if not found then
    raise exception 'the invitation is not valid for this account'
      using errcode = 'insufficient_privilege';
  end if;

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
    set
      status = 'active',
      ended_at = null,
      ended_by = null,
      expires_at = case when m.expires_at > now() then m.expires_at end,
      invited_by = excluded.invited_by,
      approved_by = excluded.approved_by,
      approved_at = excluded.approved_at
    where m.status <> 'suspended';

  if not found then
    raise exception 'your membership is suspended'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, granted_by, reason, created_by)
  values (me, open_invitation.role_id, open_invitation.tenant_id, open_invitation.invited_by, 'accepted an invitation', me)
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null
  do update
    set expires_at = null, granted_by = excluded.granted_by, reason = excluded.reason
    where user_roles.expires_at <= now();

  insert into iam.unit_members (tenant_id, unit_id, user_id, created_by)
  select u.tenant_id, u.id, me, me
  from iam.units as u
  where u.id = open_invitation.unit_id
    and u.tenant_id = open_invitation.tenant_id
    and u.deleted_at is null
  on conflict (unit_id, user_id) do nothing;

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
  'Makes the caller a member with the role of the invitation and returns the tenant. The invitation must be open, '
  'addressed to the caller''s present address, and from another person who can still invite with this role.';

revoke all on function iam.accept_invitation(text) from public;

grant execute on function iam.accept_invitation(text) to authenticated;

-- schema/iam/_functions/access_review.sql.j2

create function iam.access_review(tenant uuid)
returns table (
  user_role uuid,
  user_id uuid,
  role_code text,
  unit_id uuid,
  membership_status iam.membership_status,
  granted_by uuid,
  granted_at timestamptz,
  expires_at timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform authz.assert_session('always');

  if authz.is_auditor() is not true then
    perform authz.assert_permission('role.grant', tenant);
  end if;

  return query
  select ur.id, ur.user_id, r.code, ur.unit_id, m.status, ur.granted_by, ur.granted_at, ur.expires_at
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
  where ur.tenant_id = tenant
    and ur.revoked_at is null
    and (ur.expires_at is null or ur.expires_at > now())
  order by r.tier, r.code, ur.user_id;
end
$$;

comment on function iam.access_review(uuid) is
  'The roles of a tenant that are neither revoked nor expired, the most powerful first: for auditors, and with '
  'permission role.grant.';

revoke all on function iam.access_review(uuid) from public;

grant execute on function iam.access_review(uuid) to authenticated;

-- schema/iam/_functions/assert_other_owner.sql.j2

create function iam.assert_other_owner(tenant uuid, person uuid)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not exists (
    select
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
    join iam.profiles as p on p.id = ur.user_id
    where ur.tenant_id = assert_other_owner.tenant
      and ur.user_id <> assert_other_owner.person
      and ur.unit_id is null
      and ur.revoked_at is null
      and ur.expires_at is null
      and r.role_type = 'owner'
      and r.deleted_at is null
      and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
      and m.expires_at is null
      and p.status = 'active'
      and authz.account_is_open(p.id)
  ) then
    raise exception 'the last owner of a tenant cannot leave it'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Hand over the ownership first: iam.hand_over_ownership().';
  end if;
end
$$;

comment on function iam.assert_other_owner(uuid, uuid) is
  'Raises object_not_in_prerequisite_state if the tenant has no other owner without time limit. Call it after '
  'iam.lock_tenant().';

revoke all on function iam.assert_other_owner(uuid, uuid) from public;

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

  if create_tenant.parent_id is not null then
    perform iam.lock_tenant(create_tenant.parent_id);
    perform authz.assert_permission('tenant.configure', create_tenant.parent_id);
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
  'Creates a tenant with the subtype row of its kind and makes the caller its owner. Requires '
  'permission tenant.configure in the parent.';

revoke all on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) from public;

grant execute on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) to authenticated;

-- schema/iam/_functions/grant_permission.sql.j2

create function iam.grant_permission(
  permission_code text,
  effect iam.grant_effect,
  tenant uuid default null,
  person uuid default null,
  role_code text default null,
  expires timestamptz default null,
  reason text default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted_permission iam.permissions;
  wanted_role uuid;
  wanted_rank integer;
  granted uuid;
begin
  perform authz.assert_session('always');

  if person = auth.uid() then
    raise exception 'a permission cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
  elsif authz.may_on_platform('platform.grant') is not true or grant_permission.effect <> 'deny' then
    raise exception 'permission denied to grant a permission in every tenant'
      using errcode = 'insufficient_privilege';
  end if;

  select p.*
  into wanted_permission
  from iam.permissions as p
  where p.code = permission_code
    and (tenant is null or p.scope = 'tenant');

  if not found then
    raise exception 'permission % does not exist or does not apply in a tenant', permission_code
      using errcode = 'no_data_found';
  end if;

  if num_nonnulls(person, role_code) <> 1 or expires <= now() then
    raise exception 'either a person or a role is required, and an expiry in the future'
      using errcode = 'invalid_parameter_value';
  end if;

  if role_code is not null then
    select r.id
    into wanted_role
    from iam.roles as r
    where r.code = role_code
      and r.is_assignable
      and r.deleted_at is null;

    if not found then
      raise exception 'role % does not exist', role_code
        using errcode = 'no_data_found';
    end if;

    wanted_rank := authz.role_rank(wanted_role);
  else
    if tenant is not null
      and not exists (
        select
        from iam.memberships as m
        where m.tenant_id = tenant
          and m.user_id = person
          and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
      )
    then
      raise exception 'the person is not an active member of the tenant'
        using errcode = 'invalid_parameter_value';
    end if;

    wanted_rank := greatest(authz.held_rank(person, tenant), authz.rank_in(person, tenant));
  end if;

  -- A role that an owner holds too is denied by owners only; else an admin could oust them.
  if tenant is not null
    and grant_permission.effect = 'deny'
    and exists (
      select
      from iam.tenants as t
      join iam.user_roles as higher on higher.tenant_id = t.id or higher.tenant_id = any (t.ancestor_ids)
      join iam.user_roles as held on held.user_id = higher.user_id
      where t.id = grant_permission.tenant
        and higher.role_id in (
          select r.id from iam.roles as r where authz.role_rank(r.id) > authz.rank_in(auth.uid(), grant_permission.tenant)
        )
        and higher.unit_id is null
        and higher.revoked_at is null
        and (higher.expires_at is null or higher.expires_at > now())
        and held.role_id = wanted_role
        and (held.tenant_id = t.id or held.tenant_id = any (t.ancestor_ids))
        and held.unit_id is null
        and held.revoked_at is null
    )
  then
    raise exception 'permission denied to deny permission % to a role of an owner', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  -- Admins decide neither about owners nor about what they do not hold themselves; so no denial of their own ends.
  if tenant is not null
    and (
      authz.rank_in(auth.uid(), tenant) < wanted_rank
      or (
        (
          grant_permission.effect = 'allow'
          -- A denial that would end earlier.
          or exists (
            select
            from iam.permission_grants as g
            where (g.user_id = person or g.role_id = wanted_role)
              and g.permission_id = wanted_permission.id
              and g.tenant_id = grant_permission.tenant
              and g.unit_id is null
              and g.resource_id is null
              and g.effect = 'deny'
              and coalesce(g.expires_at, 'infinity') > coalesce(grant_permission.expires, 'infinity')
          )
        )
        and not exists (select from authz.governed_with(permission_code) as governed (id) where governed.id = tenant)
      )
    )
  then
    raise exception 'permission denied to grant permission %', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.permission_grants (
    user_id, role_id, permission_id, tenant_id, effect, granted_by, expires_at, reason, created_by
  )
  values (
    person, wanted_role, wanted_permission.id, tenant, grant_permission.effect, auth.uid(), expires,
    core.safe_text(grant_permission.reason, 500), auth.uid()
  )
  on conflict (user_id, role_id, permission_id, tenant_id, unit_id, resource_id)
  do update
    set
      effect = excluded.effect,
      granted_by = excluded.granted_by,
      granted_at = now(),
      expires_at = excluded.expires_at,
      reason = excluded.reason
  returning id
  into granted;

  perform audit.log_security(
    'permission.granted',
    action => 'grant_permission',
    resource => permission_code,
    risk => case when wanted_permission.is_dangerous then 'high' else 'medium' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object(
      'permission_grant', granted,
      'effect', grant_permission.effect,
      'role', role_code,
      'granted_by', auth.uid(),
      'expires', expires
    ),
    person => person
  );

  return granted;
end
$$;

comment on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamptz, text) is
  'Allows or denies a permission in a tenant to another person or to the holders of a role, or changes such an '
  'exception, and returns its id. Requires permission role.grant, the rank of the person or role and of its holders, and '
  'the permission itself to allow it or to shorten a denial. Without a tenant, super admins deny it everywhere.';

revoke all on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamptz, text) from public;

grant execute on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamptz, text) to authenticated;

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

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
  elsif authz.may_on_platform('platform.grant') is not true then
    raise exception 'permission platform.grant is required'
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

  if tenant is not null
    and authz.rank_in(auth.uid(), tenant)
      < greatest(authz.role_rank(wanted_id), authz.held_rank(person, tenant), authz.rank_in(person, tenant))
  then
    raise exception 'permission denied to grant role %', role_code
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null
    and not exists (
      select
      from iam.memberships as m
      where m.tenant_id = tenant
        and m.user_id = person
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    )
  then
    raise exception 'the person is not an active member of the tenant'
      using errcode = 'invalid_parameter_value';
  end if;

  if unit is not null
    and not exists (
      select
      from iam.units as u
      where u.id = unit
        and u.tenant_id = tenant
        and u.deleted_at is null
    )
  then
    raise exception 'the unit does not exist in the tenant'
      using errcode = 'invalid_parameter_value';
  end if;

  if expires <= now() then
    raise exception 'the role would have expired already'
      using errcode = 'invalid_parameter_value';
  end if;

  -- A time limit on the role of an owner would leave the tenant without one.
  if tenant is not null and expires is not null and authz.role_rank(wanted_id) = 2 and unit is null then
    perform iam.assert_other_owner(tenant, person);
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, unit_id, granted_by, expires_at, reason, created_by)
  values (
    person, wanted_id, tenant, unit, auth.uid(), expires, core.safe_text(grant_role.reason, 500), auth.uid()
  )
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
  'Grants a current member a role, or changes the expiry of a granted role, and returns the id of the row. Requires '
  'a second factor and permission role.grant in the tenant, or platform.grant for a role on the platform. Only owners '
  'grant the role of an owner and roles to an owner, only admins that of an admin, and callers none to themselves.';

revoke all on function iam.grant_role(uuid, text, uuid, uuid, timestamptz, text) from public;

grant execute on function iam.grant_role(uuid, text, uuid, uuid, timestamptz, text) to authenticated;

-- schema/iam/_functions/hand_over_ownership.sql.j2

create function iam.hand_over_ownership(tenant uuid, person uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  owner_role uuid;
begin
  perform authz.assert_session('always');
  perform iam.lock_tenant(tenant);
  perform authz.assert_permission('role.grant', tenant);

  if authz.held_rank(me, tenant) < 2 or authz.rank_in(me, tenant) < 2 then
    raise exception 'only an owner can hand over the ownership'
      using errcode = 'insufficient_privilege';
  end if;

  if person = me
    or not exists (
      select
      from iam.memberships as m
      join iam.profiles as p on p.id = m.user_id
      where m.tenant_id = tenant
        and m.user_id = person
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
        and m.expires_at is null
        and p.status = 'active'
        and authz.account_is_open(p.id)
    )
  then
    raise exception 'the ownership can be handed over to another active member only'
      using errcode = 'invalid_parameter_value';
  end if;

  select r.id
  into strict owner_role
  from iam.roles as r
  where r.code = 'owner';

  insert into iam.user_roles (user_id, role_id, tenant_id, granted_by, reason, created_by)
  values (person, owner_role, tenant, me, 'ownership handed over', me)
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null
  do update
    set expires_at = null, granted_by = excluded.granted_by, reason = excluded.reason;

  -- A denial from before would leave the tenant without a person who can grant roles.
  if not exists (
    select
    from authz.person_tenants_with(person, 'role.grant') as granting (id)
    where granting.id = tenant
  ) then
    raise exception 'permission role.grant is denied to the new owner'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'End the denial first: iam.revoke_permission().';
  end if;

  update iam.user_roles as ur
  set revoked_at = now(), reason = 'ownership handed over'
  from iam.roles as r
  where ur.user_id = me
    and ur.tenant_id = hand_over_ownership.tenant
    and ur.unit_id is null
    and ur.revoked_at is null
    and r.id = ur.role_id
    and r.role_type = 'owner';

  perform audit.log_security(
    'ownership.handed_over',
    action => 'hand_over_ownership',
    resource => 'iam.tenants',
    risk => 'high',
    tenant => tenant,
    details => jsonb_build_object('from', me, 'to', person),
    person => person
  );
end
$$;

comment on function iam.hand_over_ownership(uuid, uuid) is
  'Makes another active member an owner of the tenant in place of the caller, who keeps other roles.';

revoke all on function iam.hand_over_ownership(uuid, uuid) from public;

grant execute on function iam.hand_over_ownership(uuid, uuid) to authenticated;

-- schema/iam/_functions/invite.sql.j2

create function iam.invite(tenant uuid, email text, role_code text default 'member', unit uuid default null)
returns table (invitation_id uuid, token text)
language plpgsql
security definer
set search_path = ''
as $$
declare
  address constant text := lower(btrim(invite.email));
  wanted_id uuid;
  wanted_tier iam.role_tier;
begin
  perform authz.assert_session('always');
  perform authz.assert_permission('member.invite', tenant);

  select r.id, r.tier
  into wanted_id, wanted_tier
  from iam.roles as r
  where r.code = role_code
    and r.is_assignable
    and r.deleted_at is null
    and r.role_type <> 'auditor';

  if not found or authz.rank_in(auth.uid(), tenant) < authz.role_rank(wanted_id) then
    raise exception 'permission denied to invite as %', role_code
      using errcode = 'insufficient_privilege';
  end if;

  -- People cannot admit or promote themselves: iam.accept_invitation() also rejects the inviter.
  if exists (select from iam.profiles as p where p.id = auth.uid() and lower(p.email) = address) then
    raise exception 'an invitation to oneself is not possible'
      using errcode = 'insufficient_privilege';
  end if;

  if exists (
    select
    from iam.profiles as p
    join iam.memberships as m on m.user_id = p.id
    where lower(p.email) = address
      and p.erased_at is null
      and m.tenant_id = tenant
      and m.status in ('active', 'suspended')
  ) then
    raise exception 'the address belongs to a member of the tenant'
      using errcode = 'invalid_parameter_value',
            hint = 'Use iam.grant_role() or iam.set_membership_status().';
  end if;

  if unit is not null
    and not exists (
      select
      from iam.units as u
      where u.id = unit
        and u.tenant_id = tenant
        and u.deleted_at is null
    )
  then
    raise exception 'the unit does not exist in the tenant'
      using errcode = 'invalid_parameter_value';
  end if;

  -- An expired invitation makes room for a new one.
  update iam.invitations as i
  set revoked_at = now()
  where i.tenant_id = invite.tenant
    and lower(i.email) = address
    and i.accepted_at is null
    and i.revoked_at is null
    and i.expires_at <= now();

  -- Two random UUIDs: 244 bits from the server's strong source.
  token := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');

  insert into iam.invitations (tenant_id, email, role_id, unit_id, token_hash, invited_by, created_by)
  values (tenant, address, wanted_id, unit, sha256(token::bytea), auth.uid(), auth.uid())
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
  'Invites an address to a tenant where the caller has permission member.invite, with a role of at most the caller''s '
  'rank. Returns the token once, for the mail; only its hash is stored. The invitation ends with the right of the '
  'caller.';

revoke all on function iam.invite(uuid, text, text, uuid) from public;

grant execute on function iam.invite(uuid, text, text, uuid) to authenticated;

-- schema/iam/_functions/join_by_domain.sql.j2

create function iam.join_by_domain(tenant uuid)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  wanted_id uuid;
  wanted_code text;
begin
  perform authz.assert_session('enrolled');

  select r.id, r.code
  into wanted_id, wanted_code
  from iam.tenant_domains as d
  join iam.tenants as t on t.id = d.tenant_id and t.status in ('trial', 'active') and t.deleted_at is null
  join iam.roles as r
    on (r.id = d.default_role_id or (d.default_role_id is null and r.code = 'member'))
    and r.tier = 'end_user'
    and r.role_type <> 'auditor'
    and r.is_assignable
    and r.deleted_at is null
  where d.tenant_id = tenant
    and d.verified_at is not null
    and d.auto_join
    -- An address with two @ has no domain.
    and d.domain = substring(authz.confirmed_address(me) from '^[^@[:space:]]+@([^@[:space:]]+)$');

  if not found then
    raise exception 'the tenant cannot be joined with the address of this account'
      using errcode = 'insufficient_privilege';
  end if;

  -- A person whose membership another person has suspended or ended needs that person's consent.
  insert into iam.memberships as m (tenant_id, user_id, status, approved_at, created_by)
  values (tenant, me, 'active', now(), me)
  on conflict (tenant_id, user_id) do update
    set status = 'active', ended_at = null, ended_by = null, expires_at = null, approved_at = now()
    where m.status = 'pending'
      or (m.status = 'terminated' and m.ended_by = me);

  if not found then
    raise exception 'the tenant cannot be joined with the address of this account'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, reason, created_by)
  values (me, wanted_id, tenant, 'joined by the domain of the address', me)
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null do nothing;

  perform audit.log_security(
    'membership.joined',
    action => 'join_by_domain',
    resource => wanted_code,
    risk => 'medium',
    tenant => tenant
  );

  return tenant;
end
$$;

comment on function iam.join_by_domain(uuid) is
  'Makes the caller a member of a tenant that has verified the domain of the caller''s confirmed address and set '
  'auto_join, with the default role of the domain. Rejected if another person has suspended or ended the membership.';

revoke all on function iam.join_by_domain(uuid) from public;

grant execute on function iam.join_by_domain(uuid) to authenticated;

-- schema/iam/_functions/lock_tenant.sql.j2

create function iam.lock_tenant(tenant uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform
  from iam.tenants as t
  where t.id = lock_tenant.tenant
  for no key update;
end
$$;

comment on function iam.lock_tenant(uuid) is
  'Locks a tenant until the transaction ends. Functions that change its members, owners or status lock it before '
  'they test conditions, so that concurrent calls cannot remove the last owner or exceed the member limit.';

revoke all on function iam.lock_tenant(uuid) from public;

-- schema/iam/_functions/repair_profiles.sql.j2

create function iam.repair_profiles(out repaired integer, out failing integer)
language plpgsql
security definer
set search_path = ''
as $$
declare
  account record;
  failure record;
  failed_state text;
  violated text;
begin
  repaired := 0;

  for account in select * from authz.unrepaired_accounts() loop
    begin
      perform iam.create_profile(account.id, account.email, account.metadata);

      update iam.profiles as p
      set email = iam.address_of(account.id, account.email)
      where p.id = account.id
        and p.erased_at is null
        and p.email <> iam.address_of(account.id, account.email);

      repaired := repaired + 1;

      update iam.account_failures as f
      set repaired_at = now()
      where f.user_id = account.id
        and f.step in ('profile', 'email')
        and f.repaired_at is null;
    exception
      when others then
        get stacked diagnostics failed_state = returned_sqlstate, violated = constraint_name;

        -- An account can lack its profile without a recorded failure: it is older than the trigger.
        if not exists (
          select
          from iam.account_failures as f
          where f.user_id = account.id
            and f.step = 'profile'
            and f.repaired_at is null
        ) then
          perform iam.record_account_failure(account.id, 'profile', failed_state, violated);
        end if;
    end;
  end loop;

  for failure in
    select f.id, f.user_id, f.event_code, f.occurred_at
    from iam.account_failures as f
    where f.step = 'factor'
      and f.repaired_at is null
    order by f.occurred_at, f.id
  loop
    begin
      perform audit.log_security(
        failure.event_code, 'second_factor',
        details => jsonb_build_object('occurred_at', failure.occurred_at),
        person => failure.user_id
      );

      update iam.account_failures as f
      set repaired_at = now()
      where f.id = failure.id;

      repaired := repaired + 1;
    exception
      when others then
        null; -- remains listed as not repaired
    end;
  end loop;

  -- The address was copied by a later change of it.
  update iam.account_failures as f
  set repaired_at = now()
  where f.step = 'email'
    and f.repaired_at is null
    and f.user_id not in (select u.id from authz.unrepaired_accounts() as u);

  select count(*)
  into failing
  from iam.account_failures as f
  where f.repaired_at is null;
end
$$;

comment on function iam.repair_profiles() is
  'Creates missing profiles, copies addresses that differ and records security events, as far as the triggers '
  'on auth failed to. Returns the number of repairs and of failures that remain. Can be run at any time.';

revoke all on function iam.repair_profiles() from public;

grant execute on function iam.repair_profiles() to aigym_job, service_role;

-- schema/iam/_functions/request_membership.sql.j2

create function iam.request_membership(tenant uuid)
returns iam.membership_status
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  policy text;
  reached iam.membership_status;
begin
  perform authz.assert_session('enrolled');

  select c.join_policy
  into policy
  from iam.communities as c
  join iam.tenants as t on t.id = c.id and t.status in ('trial', 'active') and t.deleted_at is null
  where c.id = tenant
    and t.visibility = 'public'
    and c.join_policy in ('open', 'request');

  if not found then
    raise exception 'the tenant accepts no requests'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.memberships as m (tenant_id, user_id, status, created_by)
  values (tenant, me, case policy when 'open' then 'active' else 'pending' end, me)
  on conflict (tenant_id, user_id) do update
    set status = excluded.status, ended_at = null, ended_by = null, expires_at = null
    where m.status = 'terminated'
      and m.ended_by = me
  returning m.status
  into reached;

  if not found then
    raise exception 'the tenant accepts no requests'
      using errcode = 'insufficient_privilege';
  end if;

  perform audit.log_security(
    case policy when 'open' then 'membership.joined' else 'membership.requested' end,
    action => 'request_membership',
    resource => 'iam.memberships',
    tenant => tenant
  );

  return reached;
end
$$;

comment on function iam.request_membership(uuid) is
  'Joins a public community whose join policy is open, or requests a membership that an admin approves, and returns '
  'its status. The new member has no role. Rejected if another person has suspended or ended the membership.';

revoke all on function iam.request_membership(uuid) from public;

grant execute on function iam.request_membership(uuid) to authenticated;

-- schema/iam/_functions/revoke_invitation.sql.j2

create function iam.revoke_invitation(invitation uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  revoked record;
begin
  perform authz.assert_session('always');

  update iam.invitations as i
  set revoked_at = now()
  where i.id = invitation
    and i.accepted_at is null
    and i.revoked_at is null
    and i.tenant_id = any (array(select authz.governed_with('member.invite')))
    and authz.rank_in(auth.uid(), i.tenant_id) >= authz.role_rank(i.role_id)
  returning i.tenant_id, i.role_id
  into revoked;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'invitation.revoked',
    action => 'revoke_invitation',
    resource => (select r.code from iam.roles as r where r.id = revoked.role_id),
    tenant => revoked.tenant_id,
    details => jsonb_build_object('invitation', invitation)
  );

  return true;
end
$$;

comment on function iam.revoke_invitation(uuid) is
  'Revokes an open invitation. Returns false if there is none, or the caller cannot invite with its role.';

revoke all on function iam.revoke_invitation(uuid) from public;

grant execute on function iam.revoke_invitation(uuid) to authenticated;

-- schema/iam/_functions/revoke_permission.sql.j2

create function iam.revoke_permission(permission_grant uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  held record;
begin
  perform authz.assert_session('always');

  select g.user_id, g.role_id, g.tenant_id, g.effect, p.code, p.is_dangerous
  into held
  from iam.permission_grants as g
  join iam.permissions as p on p.id = g.permission_id
  where g.id = permission_grant;

  -- The same result for an exception that does not exist and for one that the caller cannot revoke.
  if not found then
    return false;
  end if;

  if held.tenant_id is null then
    if authz.may_on_platform('platform.grant') is not true then
      return false;
    end if;
  elsif not exists (select from authz.governed_with('role.grant') as governed (id) where governed.id = held.tenant_id) then
    return false;
  end if;

  -- The end of a denial gives a permission: the caller must hold it, and the denial must not be their own.
  if held.user_id = auth.uid()
    or (
      held.tenant_id is not null
      and (
        authz.rank_in(auth.uid(), held.tenant_id)
          < coalesce(
            authz.role_rank(held.role_id),
            greatest(authz.held_rank(held.user_id, held.tenant_id), authz.rank_in(held.user_id, held.tenant_id))
          )
        or (
          held.effect = 'deny'
          and not exists (select from authz.governed_with(held.code) as governed (id) where governed.id = held.tenant_id)
        )
      )
    )
    or (
      held.tenant_id is null
      and held.role_id in (
        select ur.role_id
        from iam.user_roles as ur
        where ur.user_id = auth.uid()
          and ur.revoked_at is null
      )
    )
  then
    raise exception 'permission denied to revoke this exception of permission %', held.code
      using errcode = 'insufficient_privilege';
  end if;

  delete from iam.permission_grants as g
  where g.id = permission_grant;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'permission.revoked',
    action => 'revoke_permission',
    resource => held.code,
    risk => case when held.is_dangerous then 'high' else 'medium' end::audit.risk_level,
    tenant => held.tenant_id,
    details => jsonb_build_object(
      'permission_grant', permission_grant, 'effect', held.effect, 'role', held.role_id, 'revoked_by', auth.uid()
    ),
    person => held.user_id
  );

  return true;
end
$$;

comment on function iam.revoke_permission(uuid) is
  'Deletes an exception that iam.grant_permission() created, under the same conditions, and never one of the caller''s '
  'own. Returns false if it does not exist or the caller lacks permission role.grant.';

revoke all on function iam.revoke_permission(uuid) from public;

grant execute on function iam.revoke_permission(uuid) to authenticated;

-- schema/iam/_functions/revoke_role.sql.j2

create function iam.revoke_role(user_role uuid, reason text default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  held record;
begin
  perform authz.assert_session('always');

  select ur.user_id, ur.tenant_id, ur.unit_id, ur.role_id, r.code, r.tier
  into held
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  where ur.id = user_role
    and ur.revoked_at is null;

  -- The same result for a role that does not exist and for one that the caller cannot revoke.
  if not found then
    return false;
  end if;

  if held.tenant_id is null then
    if authz.may_on_platform('platform.grant') is not true then
      return false;
    end if;

    -- Of two super admins who revoke each other, the second finds that the first is none any more.
    perform
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    where ur.tenant_id is null
      and ur.revoked_at is null
      and r.tier = 'super_admin'
    order by ur.id
    for update of ur;

    perform authz.assert_session('always');

    if authz.may_on_platform('platform.grant') is not true then
      return false;
    end if;
  else
    perform iam.lock_tenant(held.tenant_id);

    if not exists (select from authz.governed_with('role.grant') as governed (id) where governed.id = held.tenant_id) then
      return false;
    end if;

    if authz.rank_in(auth.uid(), held.tenant_id)
      < greatest(
        authz.role_rank(held.role_id),
        authz.held_rank(held.user_id, held.tenant_id),
        authz.rank_in(held.user_id, held.tenant_id)
      )
    then
      raise exception 'permission denied to revoke role % of this person', held.code
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  if held.user_id = auth.uid() then
    raise exception 'a role cannot be revoked from oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if held.tenant_id is not null and authz.role_rank(held.role_id) = 2 and held.unit_id is null then
    perform iam.assert_other_owner(held.tenant_id, held.user_id);
  end if;

  update iam.user_roles
  set revoked_at = now(), reason = coalesce(core.safe_text(revoke_role.reason, 500), user_roles.reason)
  where id = user_role
    and revoked_at is null;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'role.revoked',
    action => 'revoke_role',
    resource => held.code,
    risk => case when held.tier = 'end_user' then 'medium' else 'high' end::audit.risk_level,
    tenant => held.tenant_id,
    details => jsonb_build_object('user_role', user_role, 'revoked_by', auth.uid()),
    person => held.user_id
  );

  return true;
end
$$;

comment on function iam.revoke_role(uuid, text) is
  'Revokes a granted role at once. Returns false if it does not exist or the caller lacks permission role.grant in '
  'its tenant. Only owners revoke a role of an owner, and not of the last one; callers revoke none of their own.';

revoke all on function iam.revoke_role(uuid, text) from public;

grant execute on function iam.revoke_role(uuid, text) to authenticated;

-- schema/iam/_functions/set_membership_status.sql.j2

create function iam.set_membership_status(
  tenant uuid,
  person uuid,
  status iam.membership_status,
  reason text default null
)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  former iam.membership_status;
  change text;
begin
  perform authz.assert_session(case when person = me and status = 'terminated' then 'enrolled' else 'always' end);
  perform iam.lock_tenant(tenant);

  if person is distinct from me then
    perform authz.assert_permission('member.manage', tenant);

    if authz.rank_in(me, tenant) < greatest(authz.held_rank(person, tenant), authz.rank_in(person, tenant)) then
      raise exception 'permission denied for a member of higher rank'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  select m.status
  into former
  from iam.memberships as m
  where m.tenant_id = set_membership_status.tenant
    and m.user_id = person
  for update;

  if not found then
    return false;
  end if;

  -- Members only leave; suspension ends by another person.
  change := case
    when person = me then
      case when set_membership_status.status = 'terminated' and former in ('active', 'pending') then 'left' end
    when former = 'pending' and set_membership_status.status = 'active' then 'approved'
    when former = 'active' and set_membership_status.status = 'suspended' then 'suspended'
    when former = 'suspended' and set_membership_status.status = 'active' then 'reactivated'
    when former <> 'terminated' and set_membership_status.status = 'terminated' then 'ended'
  end;

  if change is null then
    raise exception 'permission denied to change this membership from % to %', former, set_membership_status.status
      using errcode = 'insufficient_privilege',
            hint = 'A membership that has ended is renewed by an invitation.';
  end if;

  if set_membership_status.status in ('suspended', 'terminated') and authz.held_rank(person, tenant) = 2 then
    perform iam.assert_other_owner(tenant, person);
  end if;

  update iam.memberships as m
  set
    status = set_membership_status.status,
    approved_by = case when change = 'approved' then me else m.approved_by end,
    approved_at = case when change = 'approved' then now() else m.approved_at end,
    ended_by = case when set_membership_status.status = 'terminated' then me end,
    ended_at = case when set_membership_status.status = 'terminated' then now() end
  where m.tenant_id = set_membership_status.tenant
    and m.user_id = person;

  perform audit.log_security(
    'membership.' || change,
    action => 'set_membership_status',
    resource => 'iam.memberships',
    risk => case when change in ('approved', 'left') then 'low' else 'medium' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object('from', former, 'to', set_membership_status.status, 'by', me, 'reason', left(reason, 500)),
    person => person
  );

  return true;
end
$$;

comment on function iam.set_membership_status(uuid, uuid, iam.membership_status, text) is
  'Approves, suspends, reactivates or ends the membership of another person with permission member.manage, or ends '
  'the caller''s own. An admin cannot act on an owner, and the last owner cannot leave. A membership that has ended '
  'is renewed by invitation only. Returns false if there is no membership.';

revoke all on function iam.set_membership_status(uuid, uuid, iam.membership_status, text) from public;

grant execute on function iam.set_membership_status(uuid, uuid, iam.membership_status, text) to authenticated;

-- schema/iam/_functions/set_role_permission.sql.j2

create function iam.set_role_permission(role_code text, permission_code text, granted boolean)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted_role uuid;
  wanted_permission uuid;
begin
  perform authz.assert_session('always');

  if authz.may_on_platform('platform.grant') is not true then
    raise exception 'permission platform.grant is required'
      using errcode = 'insufficient_privilege';
  end if;

  select r.id, p.id
  into wanted_role, wanted_permission
  from iam.roles as r
  cross join iam.permissions as p
  where r.code = role_code
    and r.deleted_at is null
    and p.code = permission_code;

  if not found then
    raise exception 'role % or permission % does not exist', role_code, permission_code
      using errcode = 'no_data_found';
  end if;

  if granted then
    insert into iam.role_permissions (role_id, permission_id, created_by)
    values (wanted_role, wanted_permission, auth.uid())
    on conflict (role_id, permission_id) do nothing;
  else
    delete from iam.role_permissions as rp
    where rp.role_id = wanted_role
      and rp.permission_id = wanted_permission;
  end if;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'role.changed',
    action => 'set_role_permission',
    resource => role_code,
    risk => 'critical',
    details => jsonb_build_object('permission', permission_code, 'granted', granted)
  );

  return true;
end
$$;

comment on function iam.set_role_permission(text, text, boolean) is
  'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing '
  'changes.';

revoke all on function iam.set_role_permission(text, text, boolean) from public;

grant execute on function iam.set_role_permission(text, text, boolean) to authenticated;

-- schema/iam/_functions/set_tenant_status.sql.j2

create function iam.set_tenant_status(tenant uuid, status iam.tenant_status, reason text default null)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  former iam.tenant_status;
begin
  perform authz.assert_session('always');
  perform iam.lock_tenant(tenant);

  -- Owners request the closure of their tenant; the rest is decided by the platform.
  if authz.may_on_platform('tenant.suspend') is not true then
    perform authz.assert_permission('tenant.close', tenant);

    if set_tenant_status.status is distinct from 'closing' or authz.rank_in(auth.uid(), tenant) < 2 then
      raise exception 'only the closure of a tenant can be requested, by its owner'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  select t.status
  into former
  from iam.tenants as t
  where t.id = tenant
    and t.deleted_at is null;

  if former is null or set_tenant_status.status is null or set_tenant_status.status not in ('active', 'suspended', 'closing') then
    raise exception 'a tenant that exists and one of the statuses active, suspended and closing are required'
      using errcode = 'invalid_parameter_value';
  end if;

  if set_tenant_status.status = 'closing'
    and exists (
      select
      from iam.tenants as below
      where below.parent_id = tenant
        and below.deleted_at is null
        and below.status <> 'closing'
    )
  then
    raise exception 'a tenant with tenants below it cannot be closed'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Close the tenants below it first.';
  end if;

  update iam.tenants as t
  set status = set_tenant_status.status
  where t.id = tenant;

  perform audit.log_security(
    'tenant.' || case set_tenant_status.status when 'active' then 'reactivated' else set_tenant_status.status end,
    action => 'set_tenant_status',
    resource => 'iam.tenants',
    risk => 'high',
    tenant => tenant,
    details => jsonb_build_object('from', former, 'to', set_tenant_status.status, 'reason', left(reason, 500))
  );
end
$$;

comment on function iam.set_tenant_status(uuid, iam.tenant_status, text) is
  'Suspends, reactivates or closes a tenant, with permission tenant.suspend on the platform; an owner with permission '
  'tenant.close requests the closure. A suspended or closing tenant is closed to its members and admins at once.';

revoke all on function iam.set_tenant_status(uuid, iam.tenant_status, text) from public;

grant execute on function iam.set_tenant_status(uuid, iam.tenant_status, text) to authenticated;

-- migrate:down

drop function iam.set_tenant_status(uuid, iam.tenant_status, text);
drop function iam.set_role_permission(text, text, boolean);
drop function iam.set_membership_status(uuid, uuid, iam.membership_status, text);
drop function iam.revoke_role(uuid, text);
drop function iam.revoke_permission(uuid);
drop function iam.revoke_invitation(uuid);
drop function iam.request_membership(uuid);
drop function iam.repair_profiles();
drop function iam.lock_tenant(uuid);
drop function iam.join_by_domain(uuid);
drop function iam.invite(uuid, text, text, uuid);
drop function iam.hand_over_ownership(uuid, uuid);
drop function iam.grant_role(uuid, text, uuid, uuid, timestamp with time zone, text);
drop function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamp with time zone, text);
drop function iam.create_tenant(iam.tenant_kind, text, text, uuid, text);
drop function iam.assert_other_owner(uuid, uuid);
drop function iam.access_review(uuid);
drop function iam.accept_invitation(text);

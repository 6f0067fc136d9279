-- 0029 grants and receipt of roles
-- from: schema/core/_functions/may_delete.sql.j2, schema/core/_functions/restore.sql.j2, schema/core/_functions/soft_delete.sql.j2, schema/iam/_functions/accept_invitation.sql.j2, schema/iam/_functions/assert_grantor_remains.sql.j2, schema/iam/_functions/assert_not_widened.sql.j2, schema/iam/_functions/create_tenant.sql.j2, schema/iam/_functions/grant_permission.sql.j2, schema/iam/_functions/grant_role.sql.j2, schema/iam/_functions/hand_over_ownership.sql.j2, schema/iam/_functions/has_grantor.sql.j2, schema/iam/_functions/join_by_domain.sql.j2, schema/iam/_functions/may_allow.sql.j2, schema/iam/_functions/is_denied.sql.j2, schema/iam/_functions/revoke_permission.sql.j2, schema/iam/_functions/revoke_role.sql.j2, schema/iam/_functions/set_membership_status.sql.j2, schema/iam/_functions/set_role_permission.sql.j2, schema/iam/_functions/set_tenant_status.sql.j2
-- migrate:up

-- schema/core/_functions/may_delete.sql.j2

-- One branch per table and no dynamic SQL: the condition differs by table, and no argument becomes part of a statement. The
-- session levels are those of the tables' policies.
create or replace function core.may_delete(p_table regclass, p_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  me uuid := auth.uid();
begin
  case p_table::text
    when 'ai.conversations' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from ai.conversations as t
        where t.id = p_id
          and t.user_id = me
          and (t.tenant_id is null or t.tenant_id = any (array(select authz.tenant_ids())))
          and (t.deleted_at is null or t.deleted_by = me)
      );

    when 'content.folders' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from content.folders as t
        where t.id = p_id
          and t.tenant_id = any (array(select authz.governed_with('content.delete')))
      );

    when 'content.items' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from content.items as t
        where t.id = p_id
          and (
            (
              t.owner_id = me
              and t.tenant_id = any (array(select authz.tenants_with('content.create')))
              and (
                t.status not in ('approved', 'published')
                or t.tenant_id = any (array(select authz.tenants_with('content.publish')))
              )
              and (t.deleted_at is null or t.deleted_by = me)
            )
            or t.tenant_id = any (array(select authz.governed_with('content.delete')))
            or (t.tenant_id is null and authz.is_super_admin())
          )
      );

    when 'iam.roles' then
      perform authz.assert_session('always');

      return authz.may_on_platform('platform.grant')
        and exists (
          select
          from iam.roles as t
          where t.id = p_id
            and not t.is_system
            -- Tenants would lose their owners.
            and authz.role_rank(t.id) <> 2
            and not exists (
              select
              from iam.user_roles as ur
              where ur.role_id = t.id
                and ur.user_id = me
                and ur.revoked_at is null
            )
        );

    when 'iam.tenants' then
      perform authz.assert_session('always');

      return authz.may_on_platform('tenant.suspend');

    when 'iam.units' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from iam.units as t
        where t.id = p_id
          and t.tenant_id = any (array(select authz.governed_with('unit.manage')))
      );

    when 'media.media' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from media.media as t
        where t.id = p_id
          and (
            (
              t.owner_id = me
              and (t.tenant_id is null or t.tenant_id = any (array(select authz.tenants_with('media.create'))))
              and (t.deleted_at is null or t.deleted_by = me)
            )
            or t.tenant_id = any (array(select authz.governed_with('media.delete')))
            or (t.tenant_id is null and t.owner_id is null and authz.is_super_admin())
          )
      );

    else
      raise exception 'rows of % cannot be soft-deleted', p_table
        using errcode = 'invalid_parameter_value';
  end case;
end
$$;

-- schema/core/_functions/restore.sql.j2

create or replace function core.restore(p_table regclass, p_id uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  removed_at timestamptz;
begin
  if not core.may_delete(p_table, p_id) then
    return false;
  end if;

  case p_table::text
    when 'ai.conversations' then
      update ai.conversations as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

    when 'content.folders' then
      perform core.lock_tree(p_table);

      select t.deleted_at
      into removed_at
      from content.folders as t
      where t.id = p_id
      for update;

      if removed_at is null then
        return false;
      end if;

      -- To the top level, if the folder above is still deleted.
      update content.folders as t
      set
        deleted_at = null,
        deleted_by = null,
        parent_id = (select above.id from content.folders as above where above.id = t.parent_id and above.deleted_at is null)
      where t.id = p_id;

      -- With the contents that were deleted with it.
      update content.folders as t
      set deleted_at = null, deleted_by = null
      where t.ancestor_ids @> array[p_id]
        and t.deleted_at = removed_at;

      update content.items as t
      set deleted_at = null, deleted_by = null
      where t.folder_id in (
          select f.id
          from content.folders as f
          where (f.id = p_id or f.ancestor_ids @> array[p_id])
            and f.deleted_at is null
        )
        and t.deleted_at = removed_at;

      return true;

    when 'content.items' then
      -- The lock waits for a concurrent deletion of the folder.
      perform from content.folders as f
      where f.id = (select t.folder_id from content.items as t where t.id = p_id)
      for share;

      -- To the top level, if its folder is still deleted.
      update content.items as t
      set
        deleted_at = null,
        deleted_by = null,
        folder_id = (select f.id from content.folders as f where f.id = t.folder_id and f.deleted_at is null)
      where t.id = p_id
        and t.deleted_at is not null;

    when 'iam.roles' then
      perform iam.lock_platform();

      if not core.may_delete(p_table, p_id) then
        return false;
      end if;

      update iam.roles as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'role.changed',
        action => 'restore',
        resource => 'iam.roles',
        risk => 'critical',
        details => jsonb_build_object('role', p_id)
      );

      return true;

    when 'iam.tenants' then
      perform core.lock_tree(p_table);

      update iam.tenants as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null
        and not exists (
          select
          from iam.tenants as above
          where above.id = t.parent_id
            and above.deleted_at is not null
        );

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'tenant.restored', action => 'restore', resource => 'iam.tenants', risk => 'high', tenant => p_id
      );

      return true;

    when 'iam.units' then
      perform core.lock_tree(p_table);

      select t.deleted_at
      into removed_at
      from iam.units as t
      where t.id = p_id
      for update;

      if removed_at is null then
        return false;
      end if;

      -- To the top level, if the unit above is still deleted.
      update iam.units as t
      set
        deleted_at = null,
        deleted_by = null,
        parent_id = (select above.id from iam.units as above where above.id = t.parent_id and above.deleted_at is null)
      where t.id = p_id;

      -- With the units below that were deleted with it.
      update iam.units as t
      set deleted_at = null, deleted_by = null
      where t.ancestor_ids @> array[p_id]
        and t.deleted_at = removed_at;

      return true;

    when 'media.media' then
      update media.media as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;
  end case;

  return found;
end
$$;

-- schema/core/_functions/soft_delete.sql.j2

create or replace function core.soft_delete(p_table regclass, p_id uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  me uuid := auth.uid();
  had_grantor boolean;
begin
  if not core.may_delete(p_table, p_id) then
    return false;
  end if;

  case p_table::text
    when 'ai.conversations' then
      update ai.conversations as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

    when 'content.folders' then
      perform core.lock_tree(p_table);

      update content.folders as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

      -- With its contents, which core.restore() recognizes by the same time.
      if found then
        update content.folders as t
        set deleted_at = now(), deleted_by = me
        where t.ancestor_ids @> array[p_id]
          and t.deleted_at is null;

        update content.items as t
        set deleted_at = now(), deleted_by = me
        where t.folder_id in (
            select f.id from content.folders as f where f.id = p_id or f.ancestor_ids @> array[p_id]
          )
          and t.deleted_at is null;

        return true;
      end if;

    when 'content.items' then
      -- An item that has been approved meanwhile is another case.
      perform from content.items as t
      where t.id = p_id
      for no key update;

      if not core.may_delete(p_table, p_id) then
        return false;
      end if;

      update content.items as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

    when 'iam.roles' then
      perform iam.lock_platform();

      if not core.may_delete(p_table, p_id) then
        return false;
      end if;

      had_grantor := iam.has_grantor(null);

      update iam.roles as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

      if not found then
        return false;
      end if;

      perform iam.assert_grantor_remains(null, had_grantor);

      perform audit.log_security(
        'role.changed',
        action => 'soft_delete',
        resource => 'iam.roles',
        risk => 'critical',
        details => jsonb_build_object('role', p_id)
      );

      return true;

    when 'iam.tenants' then
      perform core.lock_tree(p_table);

      -- Only after its closure, and without descendants, which would lose their administrators.
      update iam.tenants as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null
        and t.status = 'closing'
        and not exists (
          select
          from iam.tenants as below
          where below.parent_id = t.id
            and below.deleted_at is null
        );

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'tenant.deleted', action => 'soft_delete', resource => 'iam.tenants', risk => 'high', tenant => p_id
      );

      return true;

    when 'iam.units' then
      perform core.lock_tree(p_table);

      update iam.units as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

      -- With the units below, which core.restore() recognizes by the same time.
      if found then
        update iam.units as t
        set deleted_at = now(), deleted_by = me
        where t.ancestor_ids @> array[p_id]
          and t.deleted_at is null;

        return true;
      end if;

    when 'media.media' then
      update media.media as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;
  end case;

  return found;
end
$$;

-- schema/iam/_functions/accept_invitation.sql.j2

create or replace function iam.accept_invitation(token text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  open_invitation record;
  wanted_code text;
  had_grantor boolean;
begin
  perform authz.assert_session('enrolled');

  select i.*
  into open_invitation
  from iam.invitations as i
  where i.token_hash = sha256(accept_invitation.token::bytea);

  if found then
    perform iam.lock_tenant(open_invitation.tenant_id);
    had_grantor := iam.has_grantor(open_invitation.tenant_id);
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
    and (
      not iam.requires_grant(i.role_id)
      or i.tenant_id in (
        select authz.person_governed_with(i.invited_by, 'role.grant')
        union
        select authz.supported_tenant_ids(i.invited_by)
      )
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

  perform iam.assert_not_widened(open_invitation.role_id, open_invitation.tenant_id, open_invitation.created_at);

  insert into iam.unit_members (tenant_id, unit_id, user_id, created_by)
  select u.tenant_id, u.id, me, me
  from iam.units as u
  where u.id = open_invitation.unit_id
    and u.tenant_id = open_invitation.tenant_id
    and u.deleted_at is null
  on conflict (unit_id, user_id) do nothing;

  perform iam.assert_grantor_remains(open_invitation.tenant_id, had_grantor);

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

-- schema/iam/_functions/assert_grantor_remains.sql.j2

create function iam.assert_grantor_remains(tenant uuid, had_grantor boolean)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not iam.has_grantor(tenant)
    -- If all on the platform have a time limit, the caller remains.
    and (had_grantor or tenant is null and authz.may_on_platform('platform.grant') is not true)
  then
    raise exception '%', case
        when tenant is null then 'no person without a time limit could grant roles on the platform'
        else 'the tenant would have no owner who can grant roles'
      end
      using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;

comment on function iam.assert_grantor_remains(uuid, boolean) is
  'Raises object_not_in_prerequisite_state if a person could grant by iam.has_grantor() before the change and none can after '
  'it, or if the caller loses platform.grant on a platform without such a person. Call it after iam.lock_tenant() or '
  'iam.lock_platform().';

revoke all on function iam.assert_grantor_remains(uuid, boolean) from public;

-- schema/iam/_functions/assert_not_widened.sql.j2

create function iam.assert_not_widened(role uuid, tenant uuid, since timestamptz default '-infinity')
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if exists (
      select
      from iam.role_permissions as rp
      where rp.role_id = assert_not_widened.role
        and rp.created_by = auth.uid()
        and rp.created_at > assert_not_widened.since
    )
    or exists (
      select
      from iam.permission_grants as g
      where g.role_id = assert_not_widened.role
        and (g.tenant_id is null or g.tenant_id = assert_not_widened.tenant)
        -- Also a denial that the caller has limited or ended.
        and (g.effect = 'allow' or g.expires_at is not null)
        and g.granted_by = auth.uid()
        and g.granted_at > assert_not_widened.since
    )
  then
    raise exception 'the caller has changed the permissions of the role, and receives it from another person only'
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

comment on function iam.assert_not_widened(uuid, uuid, timestamptz) is
  'Raises insufficient_privilege if the caller has added a permission to a role, or ended or limited its denial, everywhere or '
  'in the tenant, since a time. For functions by which people receive a role without a new decision of another person. They '
  'call it after the role is inserted, which waits for iam.set_role_permission(), and after the lock of the tenant.';

revoke all on function iam.assert_not_widened(uuid, uuid, timestamptz) from public;

-- schema/iam/_functions/create_tenant.sql.j2

create or replace function iam.create_tenant(
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
    perform core.lock_tree('iam.tenants');
    perform iam.lock_tenant(create_tenant.parent_id);
    perform authz.assert_permission('tenant.configure', create_tenant.parent_id);

    -- The ownership would outlast an elevation.
    if create_tenant.parent_id not in (select authz.person_governed_with(founder, 'tenant.configure')) then
      raise exception 'permission tenant.configure is required in this tenant without an elevation'
        using errcode = 'insufficient_privilege';
    end if;
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

-- schema/iam/_functions/grant_permission.sql.j2

create or replace function iam.grant_permission(
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
  had_grantor boolean;
  governed uuid[];
begin
  if person = auth.uid() then
    raise exception 'a permission cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
  else
    perform iam.lock_platform();

    if authz.may_on_platform('platform.grant') is not true or grant_permission.effect is distinct from 'deny' then
      raise exception 'permission denied to grant a permission in every tenant'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  -- After the lock: the caller may have been suspended meanwhile.
  perform authz.assert_session('always');

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

  -- A person of higher rank, in the tenant or in one above, and a role that such a person holds too are denied by people of
  -- that rank only; else an admin could oust an owner, or the admin of a tenant those of the tenant above it.
  if tenant is not null
    and grant_permission.effect = 'deny'
    and exists (
      select
      from iam.tenants as t
      cross join unnest(t.ancestor_ids || t.id) as place (id)
      join iam.roles as leading_role on authz.role_rank(leading_role.id) > authz.rank_in(auth.uid(), place.id)
      join iam.user_roles as higher on higher.tenant_id = place.id and higher.role_id = leading_role.id
      where t.id = grant_permission.tenant
        and higher.unit_id is null
        and higher.revoked_at is null
        and (higher.expires_at is null or higher.expires_at > now())
        and (
          higher.user_id = person
          or exists (
            select
            from iam.user_roles as held
            where held.user_id = higher.user_id
              and held.role_id = wanted_role
              and (held.tenant_id = t.id or held.tenant_id = any (t.ancestor_ids))
              and held.unit_id is null
              and held.revoked_at is null
          )
        )
    )
  then
    raise exception 'permission denied to deny permission % to a person of higher rank', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null and authz.rank_in(auth.uid(), tenant) < wanted_rank then
    raise exception 'permission denied to grant permission % to a person of higher rank', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  if (
      grant_permission.effect = 'allow'
      -- A denial that would end earlier.
      or exists (
        select
        from iam.permission_grants as g
        where (g.user_id = person or g.role_id = wanted_role)
          and g.permission_id = wanted_permission.id
          and g.tenant_id is not distinct from grant_permission.tenant
          and g.unit_id is null
          and g.resource_id is null
          and g.effect = 'deny'
          and coalesce(g.expires_at, 'infinity') > coalesce(grant_permission.expires, 'infinity')
      )
    )
    and not iam.may_allow(permission_code, tenant, wanted_role)
  then
    raise exception 'permission denied to allow permission %', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  had_grantor := iam.has_grantor(tenant);

  -- The tenants where role.grant, denied in every tenant, would be denied to an owner. Those who receive the role, or a role,
  -- wait.
  if tenant is null and permission_code = 'role.grant' then
    perform from iam.roles as r where r.id = wanted_role for update;
    perform from iam.profiles as p where p.id = person for update;

    governed := array(
      select t.id
      from iam.tenants as t
      where t.deleted_at is null
        and exists (
          select
          from iam.user_roles as ur
          where ur.tenant_id = t.id
            and (ur.user_id = person or ur.role_id = wanted_role)
        )
      order by t.id
      for no key update
    );
    governed := array(select g.id from unnest(governed) as g (id) where iam.has_grantor(g.id));
  end if;

  insert into iam.permission_grants (
    user_id, role_id, permission_id, tenant_id, effect, granted_by, granted_at, expires_at, reason, created_by
  )
  values (
    person, wanted_role, wanted_permission.id, tenant, grant_permission.effect, auth.uid(),
    clock_timestamp(), expires, core.safe_text(grant_permission.reason, 500), auth.uid()
  )
  on conflict (user_id, role_id, permission_id, tenant_id, unit_id, resource_id)
  do update
    set
      effect = excluded.effect,
      granted_by = excluded.granted_by,
      granted_at = excluded.granted_at,
      expires_at = excluded.expires_at,
      reason = excluded.reason
  returning id
  into granted;

  perform iam.assert_grantor_remains(tenant, had_grantor);
  perform iam.assert_grantor_remains(g.id, true) from unnest(governed) as g (id);

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

comment on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamp with time zone, text) is 'Allows or denies a permission in a tenant to another person or to the holders of a role, or changes such an exception, and returns its id. Requires permission role.grant, the rank of the person or role and of its holders, and the permission itself to allow it or to shorten a denial. Without a tenant, super admins deny it everywhere. Rejected if no owner of the tenant, or no person on the platform, could grant any more.';

-- schema/iam/_functions/grant_role.sql.j2

create or replace function iam.grant_role(
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
  had_grantor boolean;
begin
  if person = auth.uid() then
    raise exception 'a role cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
  else
    perform iam.lock_platform();

    if authz.may_on_platform('platform.grant') is not true then
      raise exception 'permission platform.grant is required'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  -- After the lock: the caller may have been suspended meanwhile.
  perform authz.assert_session('always');
  had_grantor := iam.has_grantor(tenant);

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

  insert into iam.user_roles (user_id, role_id, tenant_id, unit_id, granted_by, expires_at, reason, created_by)
  values (
    person, wanted_id, tenant, unit, auth.uid(), expires, core.safe_text(grant_role.reason, 500), auth.uid()
  )
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null
  do update
    set expires_at = excluded.expires_at, granted_by = excluded.granted_by, reason = excluded.reason
  returning id
  into granted;

  -- The role may have got a time limit, or the person a role to which a permission is denied.
  perform iam.assert_grantor_remains(tenant, had_grantor);

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

-- schema/iam/_functions/hand_over_ownership.sql.j2

create or replace function iam.hand_over_ownership(tenant uuid, person uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  owner_role uuid;
begin
  perform iam.lock_tenant(tenant);
  perform authz.assert_session('always');
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

  -- The denial would limit the new owner, who could not end it.
  if iam.is_denied(person, tenant) then
    raise exception 'a permission is denied to the new owner'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'End the denial, or the role that it is for: iam.revoke_permission() or iam.revoke_role().';
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

  perform iam.assert_other_owner(tenant, me);

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

-- schema/iam/_functions/has_grantor.sql.j2

create function iam.has_grantor(tenant uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if tenant is not null then
    return iam.has_granting_owner(tenant);
  end if;

  return exists (
    select
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    join iam.role_permissions as rp on rp.role_id = ur.role_id
    join iam.permissions as p on p.id = rp.permission_id
    join iam.profiles as person on person.id = ur.user_id
    where ur.tenant_id is null
      and ur.revoked_at is null
      and ur.expires_at is null
      and r.deleted_at is null
      and p.code = 'platform.grant'
      and person.status = 'active'
      and authz.account_is_open(person.id)
      and not iam.is_denied(person.id, null, 'platform.grant')
  );
end
$$;

comment on function iam.has_grantor(uuid) is
  'Whether a tenant has an owner by iam.has_granting_owner(), or the platform (null) a person with permission '
  'platform.grant by a role without time limit, who is not denied it. Functions that can end this call iam.assert_grantor_remains().';

revoke all on function iam.has_grantor(uuid) from public;

-- schema/iam/_functions/join_by_domain.sql.j2

create or replace function iam.join_by_domain(tenant uuid)
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

  -- A person whose membership another person has suspended or ended, or whose time limit has passed, needs the consent of an
  -- admin. A limit that is still running remains.
  insert into iam.memberships as m (tenant_id, user_id, status, approved_at, created_by)
  values (tenant, me, 'active', now(), me)
  on conflict (tenant_id, user_id) do update
    set status = 'active', ended_at = null, ended_by = null, approved_at = now()
    where (m.status = 'pending' or (m.status = 'terminated' and m.ended_by = me))
      and (m.expires_at is null or m.expires_at > now());

  if not found then
    raise exception 'the tenant cannot be joined with the address of this account'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, reason, created_by)
  values (me, wanted_id, tenant, 'joined by the domain of the address', me)
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null do nothing;

  perform iam.assert_not_widened(wanted_id, tenant);

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

-- schema/iam/_functions/may_allow.sql.j2

create or replace function iam.may_allow(permission_code text, tenant uuid, role uuid default null)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  is_own constant boolean := exists (
    select
    from iam.user_roles as ur
    where ur.user_id = auth.uid()
      and ur.role_id = may_allow.role
      and ur.revoked_at is null
      and (ur.tenant_id = may_allow.tenant or may_allow.tenant is null)
  );
begin
  return case
    when may_allow.tenant is null then not is_own
    when is_own then
      may_allow.tenant in (select authz.person_tenants_with(auth.uid(), may_allow.permission_code))
    else
      may_allow.tenant in (select authz.governed_with(may_allow.permission_code))
  end;
end
$$;

comment on function iam.may_allow(text, uuid, uuid) is 'Whether the caller can allow a permission in a tenant, or end its denial: callers who hold it there. To a role that they hold in the tenant, callers who hold it as a member, because it would outlast an elevation or a role in a tenant above. Without a tenant, whether the caller can end a denial: not of a role that they hold. Of a role that they receive later see iam.assert_not_widened().';

-- schema/iam/_functions/is_denied.sql.j2

create or replace function iam.is_denied(person uuid, tenant uuid, permission_code text default null)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select
    from iam.permission_grants as g
    join iam.permissions as p on p.id = g.permission_id
    where (is_denied.permission_code is null or p.code = is_denied.permission_code)
      and g.effect = 'deny'
      and (g.tenant_id is null or g.tenant_id = is_denied.tenant)
      and g.unit_id is null
      and g.resource_id is null
      and (g.expires_at is null or g.expires_at > now())
      and (
        g.user_id = is_denied.person
        or exists (
          select
          from iam.user_roles as ur
          where ur.user_id = is_denied.person
            and ur.tenant_id is not distinct from is_denied.tenant
            and ur.role_id = g.role_id
            and ur.unit_id is null
            and ur.revoked_at is null
            and (ur.expires_at is null or ur.expires_at > now())
        )
      )
  )
$$;

comment on function iam.is_denied(uuid, uuid, text) is 'Whether a permission, or any (null), is denied to a person in a tenant as a whole, also a suspended one, or on the platform (null): to the person or to a role that they hold in it, also a deleted one, which can be restored.';

-- schema/iam/_functions/revoke_permission.sql.j2

create or replace function iam.revoke_permission(permission_grant uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  held_in uuid;
  held record;
begin
  select g.tenant_id
  into held_in
  from iam.permission_grants as g
  where g.id = permission_grant;

  if held_in is not null then
    perform iam.lock_tenant(held_in);
  elsif found then
    perform iam.lock_platform();
  end if;

  -- After the lock: the caller may have lost the permission meanwhile.
  perform authz.assert_session('always');

  select g.user_id, g.role_id, g.tenant_id, g.effect, p.code, p.is_dangerous
  into held
  from iam.permission_grants as g
  join iam.permissions as p on p.id = g.permission_id
  where g.id = permission_grant
    and (g.expires_at is null or g.expires_at > now())
    and case
      when g.tenant_id is null then authz.may_on_platform('platform.grant')
      else g.tenant_id in (select authz.governed_with('role.grant'))
    end;

  -- The same result for an exception that does not exist and for one that the caller cannot revoke.
  if not found then
    return false;
  end if;

  -- The end of a denial gives a permission: the caller must hold it, and the denial must not be their own.
  if held.user_id = auth.uid()
    or (
      held.tenant_id is not null
      and authz.rank_in(auth.uid(), held.tenant_id)
        < coalesce(
          authz.role_rank(held.role_id),
          greatest(authz.held_rank(held.user_id, held.tenant_id), authz.rank_in(held.user_id, held.tenant_id))
        )
    )
    or held.effect = 'deny' and not iam.may_allow(held.code, held.tenant_id, held.role_id)
  then
    raise exception 'permission denied to revoke this exception of permission %', held.code
      using errcode = 'insufficient_privilege';
  end if;

  -- That of a role ends and keeps the name of the caller, for iam.assert_not_widened().
  if held.role_id is null then
    delete from iam.permission_grants as g
    where g.id = permission_grant;
  else
    update iam.permission_grants as g
    set expires_at = now(), granted_by = auth.uid(), granted_at = clock_timestamp()
    where g.id = permission_grant;
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

comment on function iam.revoke_permission(uuid) is 'Ends an exception that iam.grant_permission() created, under the same conditions, and never one of the caller''s own. Returns false if it does not exist, has ended, or the caller lacks permission role.grant.';

-- schema/iam/_functions/revoke_role.sql.j2

create or replace function iam.revoke_role(user_role uuid, reason text default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  held_in uuid;
  held record;
  had_grantor boolean;
begin
  select ur.tenant_id
  into held_in
  from iam.user_roles as ur
  where ur.id = user_role;

  if held_in is not null then
    perform iam.lock_tenant(held_in);
  elsif found then
    perform iam.lock_platform();
  end if;

  -- After the lock: the caller may have lost the permission meanwhile.
  perform authz.assert_session('always');

  select ur.user_id, ur.tenant_id, ur.role_id, r.code, r.tier
  into held
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  where ur.id = user_role
    and ur.revoked_at is null
    and case
      when ur.tenant_id is null then authz.may_on_platform('platform.grant')
      else ur.tenant_id in (select authz.governed_with('role.grant'))
    end;

  -- The same result for a role that does not exist and for one that the caller cannot revoke.
  if not found then
    return false;
  end if;

  if held.tenant_id is not null
    and authz.rank_in(auth.uid(), held.tenant_id)
      < greatest(
        authz.role_rank(held.role_id),
        authz.held_rank(held.user_id, held.tenant_id),
        authz.rank_in(held.user_id, held.tenant_id)
      )
  then
    raise exception 'permission denied to revoke role % of this person', held.code
      using errcode = 'insufficient_privilege';
  end if;

  if held.user_id = auth.uid() then
    raise exception 'a role cannot be revoked from oneself'
      using errcode = 'insufficient_privilege';
  end if;

  had_grantor := iam.has_grantor(held.tenant_id);

  update iam.user_roles
  set revoked_at = now(), reason = coalesce(core.safe_text(revoke_role.reason, 500), user_roles.reason)
  where id = user_role;

  perform iam.assert_grantor_remains(held.tenant_id, had_grantor);

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

-- schema/iam/_functions/set_membership_status.sql.j2

create or replace function iam.set_membership_status(
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
  perform iam.lock_tenant(tenant);
  perform authz.assert_session(case when person = me and status = 'terminated' then 'enrolled' else 'always' end);

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
    -- The time limit of an earlier membership, see iam.request_membership().
    expires_at = case when change = 'approved' and m.expires_at <= now() then null else m.expires_at end,
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

-- schema/iam/_functions/set_role_permission.sql.j2

create or replace function iam.set_role_permission(role_code text, permission_code text, granted boolean)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted_role uuid;
  wanted_permission uuid;
  had_grantor boolean;
begin
  perform iam.lock_platform();
  perform authz.assert_session('always');

  if authz.may_on_platform('platform.grant') is not true then
    raise exception 'permission platform.grant is required'
      using errcode = 'insufficient_privilege';
  end if;

  if granted is null then
    raise exception 'granted must be true or false'
      using errcode = 'invalid_parameter_value';
  end if;

  select r.id, p.id
  into wanted_role, wanted_permission
  from iam.roles as r
  cross join iam.permissions as p
  where r.code = role_code
    and r.deleted_at is null
    and p.code = permission_code
  -- Waits for those who receive the role now, and they wait for this transaction.
  for update of r;

  if not found then
    raise exception 'role % or permission % does not exist', role_code, permission_code
      using errcode = 'no_data_found';
  end if;

  -- In a tenant, rights are gained by an elevation or from another person only; iam.assert_not_widened() tests a role that the
  -- caller receives later.
  if granted
    and exists (
      select
      from iam.user_roles as ur
      where ur.user_id = auth.uid()
        and ur.role_id = wanted_role
        and ur.tenant_id is not null
        and ur.revoked_at is null
    )
  then
    raise exception 'a permission cannot be added to a role that the caller holds in a tenant'
      using errcode = 'insufficient_privilege';
  end if;

  if not granted and permission_code = 'role.grant' and authz.role_rank(wanted_role) = 2 then
    raise exception 'the owners of tenants would lose permission role.grant'
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  had_grantor := iam.has_grantor(null);

  if granted then
    insert into iam.role_permissions (role_id, permission_id, created_at, created_by)
    values (wanted_role, wanted_permission, clock_timestamp(), auth.uid())
    on conflict (role_id, permission_id) do nothing;
  else
    delete from iam.role_permissions as rp
    where rp.role_id = wanted_role
      and rp.permission_id = wanted_permission;
  end if;

  if not found then
    return false;
  end if;

  perform iam.assert_grantor_remains(null, had_grantor);

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

comment on function iam.set_role_permission(text, text, boolean) is 'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing changes. Rejected if the caller would gain the permission in a tenant, if owners would lose role.grant, or if no person could grant roles on the platform any more.';

-- schema/iam/_functions/set_tenant_status.sql.j2

create or replace function iam.set_tenant_status(tenant uuid, status iam.tenant_status, reason text default null)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  former iam.tenant_status;
begin
  perform iam.lock_tenant(tenant);
  perform authz.assert_session('always');

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

-- no longer in the templates

drop function iam.assert_not_widened(uuid, timestamp with time zone);

drop function iam.assert_owner_remains(uuid, boolean);

-- migrate:down

CREATE OR REPLACE FUNCTION iam.assert_owner_remains(tenant uuid, had_owner boolean)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if had_owner and not iam.has_granting_owner(tenant) then
    raise exception 'the tenant would have no owner who can grant roles'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$function$;

comment on function iam.assert_owner_remains(uuid, boolean) is 'Raises object_not_in_prerequisite_state if the tenant had an owner by iam.has_granting_owner() before the change and has none after it. Call it after iam.lock_tenant().';

CREATE OR REPLACE FUNCTION iam.assert_not_widened(role uuid, since timestamp with time zone DEFAULT '-infinity'::timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if exists (
    select
    from iam.role_permissions as rp
    where rp.role_id = assert_not_widened.role
      and rp.created_by = auth.uid()
      and rp.created_at > assert_not_widened.since
  ) then
    raise exception 'the caller has added a permission to the role, and receives it from another person only'
      using errcode = 'insufficient_privilege';
  end if;
end
$function$;

comment on function iam.assert_not_widened(uuid, timestamp with time zone) is 'Raises insufficient_privilege if the caller has added a permission to a role since a time. For functions by which people receive a role without a new decision of another person.';

CREATE OR REPLACE FUNCTION iam.set_tenant_status(tenant uuid, status iam.tenant_status, reason text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

comment on function iam.set_role_permission(text, text, boolean) is 'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing changes. Rejected if the caller would gain the permission in a tenant, or lose platform.grant, or if owners would lose role.grant.';

CREATE OR REPLACE FUNCTION iam.set_role_permission(role_code text, permission_code text, granted boolean)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted_role uuid;
  wanted_permission uuid;
begin
  perform iam.lock_platform();
  perform authz.assert_session('always');

  if authz.may_on_platform('platform.grant') is not true then
    raise exception 'permission platform.grant is required'
      using errcode = 'insufficient_privilege';
  end if;

  if granted is null then
    raise exception 'granted must be true or false'
      using errcode = 'invalid_parameter_value';
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

  -- In the tenants of the caller, rights are gained by an elevation or from another person only; iam.assert_not_widened()
  -- tests the same for a role that is received later.
  if granted
    and exists (
      select
      from iam.user_roles as ur
      where ur.user_id = auth.uid()
        and ur.role_id = wanted_role
        and ur.tenant_id is not null
        and ur.revoked_at is null
    )
  then
    raise exception 'a permission cannot be added to a role that the caller holds in a tenant'
      using errcode = 'insufficient_privilege';
  end if;

  if not granted and permission_code = 'role.grant' and authz.role_rank(wanted_role) = 2 then
    raise exception 'the owners of tenants would lose permission role.grant'
      using errcode = 'object_not_in_prerequisite_state';
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

  if authz.may_on_platform('platform.grant') is not true then
    raise exception 'the caller would lose permission platform.grant'
      using errcode = 'object_not_in_prerequisite_state';
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
$function$;

CREATE OR REPLACE FUNCTION iam.set_membership_status(tenant uuid, person uuid, status iam.membership_status, reason text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
    -- The time limit of an earlier membership, see iam.request_membership().
    expires_at = case when change = 'approved' and m.expires_at <= now() then null else m.expires_at end,
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
$function$;

CREATE OR REPLACE FUNCTION iam.revoke_role(user_role uuid, reason text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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

    perform iam.lock_platform();
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
$function$;

comment on function iam.revoke_permission(uuid) is 'Deletes an exception that iam.grant_permission() created, under the same conditions, and never one of the caller''s own. Returns false if it does not exist or the caller lacks permission role.grant.';

CREATE OR REPLACE FUNCTION iam.revoke_permission(permission_grant uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
    perform iam.lock_platform();

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
      and authz.rank_in(auth.uid(), held.tenant_id)
        < coalesce(
          authz.role_rank(held.role_id),
          greatest(authz.held_rank(held.user_id, held.tenant_id), authz.rank_in(held.user_id, held.tenant_id))
        )
    )
    or held.effect = 'deny' and not iam.may_allow(held.code, held.tenant_id, held.role_id)
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
$function$;

comment on function iam.is_denied(uuid, uuid, text) is 'Whether a permission, or any (null), is denied to a person in a tenant as a whole, also a suspended one: to the person or to a role that they hold in it, there or in every tenant.';

CREATE OR REPLACE FUNCTION iam.is_denied(person uuid, tenant uuid, permission_code text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select exists (
    select
    from iam.permission_grants as g
    join iam.permissions as p on p.id = g.permission_id
    where (is_denied.permission_code is null or p.code = is_denied.permission_code)
      and g.effect = 'deny'
      and (g.tenant_id is null or g.tenant_id = is_denied.tenant)
      and g.unit_id is null
      and g.resource_id is null
      and (g.expires_at is null or g.expires_at > now())
      and (
        g.user_id = is_denied.person
        or exists (
          select
          from iam.user_roles as ur
          join iam.roles as r on r.id = ur.role_id
          where ur.user_id = is_denied.person
            and ur.tenant_id = is_denied.tenant
            and ur.role_id = g.role_id
            and ur.unit_id is null
            and ur.revoked_at is null
            and (ur.expires_at is null or ur.expires_at > now())
            and r.deleted_at is null
        )
      )
  )
$function$;

comment on function iam.may_allow(text, uuid, uuid) is 'Whether the caller can allow a permission in a tenant, or end its denial: callers who hold it there, and to a role that they hold or have held there, those who hold it as a member, not by an elevation or from a tenant above, which it would outlast. Without a tenant, a denial to another role than those of the caller.';

CREATE OR REPLACE FUNCTION iam.may_allow(permission_code text, tenant uuid, role uuid DEFAULT NULL::uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  is_own constant boolean := exists (
    select
    from iam.user_roles as ur
    where ur.user_id = auth.uid()
      and ur.role_id = may_allow.role
      and (ur.tenant_id = may_allow.tenant or may_allow.tenant is null)
  );
begin
  return case
    when may_allow.tenant is null then not is_own
    when is_own then
      may_allow.tenant in (select authz.person_tenants_with(auth.uid(), may_allow.permission_code))
    else
      may_allow.tenant in (select authz.governed_with(may_allow.permission_code))
  end;
end
$function$;

CREATE OR REPLACE FUNCTION iam.join_by_domain(tenant uuid)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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

  perform iam.assert_not_widened(wanted_id);

  -- A person whose membership another person has suspended or ended, or whose time limit has passed, needs the consent of an
  -- admin. A limit that is still running remains.
  insert into iam.memberships as m (tenant_id, user_id, status, approved_at, created_by)
  values (tenant, me, 'active', now(), me)
  on conflict (tenant_id, user_id) do update
    set status = 'active', ended_at = null, ended_by = null, approved_at = now()
    where (m.status = 'pending' or (m.status = 'terminated' and m.ended_by = me))
      and (m.expires_at is null or m.expires_at > now());

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
$function$;

CREATE OR REPLACE FUNCTION iam.hand_over_ownership(tenant uuid, person uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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

  -- The denial would limit the new owner, who could not end it.
  if iam.is_denied(person, tenant) then
    raise exception 'a permission is denied to the new owner'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'End the denial, or the role that it is for: iam.revoke_permission() or iam.revoke_role().';
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

  perform iam.assert_other_owner(tenant, me);

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
$function$;

CREATE OR REPLACE FUNCTION iam.grant_role(person uuid, role_code text, tenant uuid DEFAULT NULL::uuid, unit uuid DEFAULT NULL::uuid, expires timestamp with time zone DEFAULT NULL::timestamp with time zone, reason text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted_id uuid;
  wanted_tier iam.role_tier;
  granted uuid;
  had_owner boolean;
begin
  if person = auth.uid() then
    raise exception 'a role cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
    had_owner := iam.has_granting_owner(tenant);
  else
    perform iam.lock_platform();

    if authz.may_on_platform('platform.grant') is not true then
      raise exception 'permission platform.grant is required'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  -- After the lock: the caller may have been suspended meanwhile.
  perform authz.assert_session('always');

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

  -- Else two people who limit each other would leave the platform without one who can grant.
  if tenant is null
    and expires is not null
    and not exists (
      select
      from iam.user_roles as ur
      join iam.role_permissions as rp on rp.role_id = ur.role_id
      join iam.permissions as p on p.id = rp.permission_id
      where ur.user_id = auth.uid()
        and ur.tenant_id is null
        and ur.revoked_at is null
        and ur.expires_at is null
        and p.code = 'platform.grant'
    )
  then
    raise exception 'a time limit of a role on the platform is set by people whose own role has none'
      using errcode = 'object_not_in_prerequisite_state';
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

  -- The role of an owner may have got a time limit, or the owner a role to which a permission is denied.
  perform iam.assert_owner_remains(tenant, had_owner);

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
$function$;

comment on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamp with time zone, text) is 'Allows or denies a permission in a tenant to another person or to the holders of a role, or changes such an exception, and returns its id. Requires permission role.grant, the rank of the person or role and of its holders, and the permission itself to allow it or to shorten a denial. Without a tenant, super admins deny it everywhere. Rejected if no owner of the tenant, or not the caller on the platform, could grant any more.';

CREATE OR REPLACE FUNCTION iam.grant_permission(permission_code text, effect iam.grant_effect, tenant uuid DEFAULT NULL::uuid, person uuid DEFAULT NULL::uuid, role_code text DEFAULT NULL::text, expires timestamp with time zone DEFAULT NULL::timestamp with time zone, reason text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted_permission iam.permissions;
  wanted_role uuid;
  wanted_rank integer;
  granted uuid;
  had_owner boolean;
begin
  if person = auth.uid() then
    raise exception 'a permission cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
    had_owner := iam.has_granting_owner(tenant);
  else
    perform iam.lock_platform();

    if authz.may_on_platform('platform.grant') is not true or grant_permission.effect is distinct from 'deny' then
      raise exception 'permission denied to grant a permission in every tenant'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  -- After the lock: the caller may have been suspended meanwhile.
  perform authz.assert_session('always');

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

  -- A person of higher rank, in the tenant or in one above, and a role that such a person holds too are denied by people of
  -- that rank only; else an admin could oust an owner, or the admin of a tenant those of the tenant above it.
  if tenant is not null
    and grant_permission.effect = 'deny'
    and exists (
      select
      from iam.tenants as t
      cross join unnest(t.ancestor_ids || t.id) as place (id)
      join iam.roles as leading_role on authz.role_rank(leading_role.id) > authz.rank_in(auth.uid(), place.id)
      join iam.user_roles as higher on higher.tenant_id = place.id and higher.role_id = leading_role.id
      where t.id = grant_permission.tenant
        and higher.unit_id is null
        and higher.revoked_at is null
        and (higher.expires_at is null or higher.expires_at > now())
        and (
          higher.user_id = person
          or exists (
            select
            from iam.user_roles as held
            where held.user_id = higher.user_id
              and held.role_id = wanted_role
              and (held.tenant_id = t.id or held.tenant_id = any (t.ancestor_ids))
              and held.unit_id is null
              and held.revoked_at is null
          )
        )
    )
  then
    raise exception 'permission denied to deny permission % to a person of higher rank', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null and authz.rank_in(auth.uid(), tenant) < wanted_rank then
    raise exception 'permission denied to grant permission % to a person of higher rank', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  if (
      grant_permission.effect = 'allow'
      -- A denial that would end earlier.
      or exists (
        select
        from iam.permission_grants as g
        where (g.user_id = person or g.role_id = wanted_role)
          and g.permission_id = wanted_permission.id
          and g.tenant_id is not distinct from grant_permission.tenant
          and g.unit_id is null
          and g.resource_id is null
          and g.effect = 'deny'
          and coalesce(g.expires_at, 'infinity') > coalesce(grant_permission.expires, 'infinity')
      )
    )
    and not iam.may_allow(permission_code, tenant, wanted_role)
  then
    raise exception 'permission denied to allow permission %', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  -- Denied in every tenant to owners, role.grant would leave tenants without a person who can grant.
  if tenant is null
    and permission_code = 'role.grant'
    and exists (
      select
      from iam.user_roles as ur
      join iam.roles as r on r.id = ur.role_id
      where r.role_type = 'owner'
        and ur.revoked_at is null
        and (
          ur.role_id = wanted_role
          or (
            (ur.user_id = person or exists (
              select
              from iam.user_roles as other
              where other.user_id = ur.user_id
                and other.tenant_id = ur.tenant_id
                and other.role_id = wanted_role
                and other.revoked_at is null
            ))
            and not iam.has_granting_owner(ur.tenant_id, ur.user_id)
          )
        )
    )
  then
    raise exception 'the owners of tenants would lose permission role.grant'
      using errcode = 'object_not_in_prerequisite_state';
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

  perform iam.assert_owner_remains(tenant, had_owner);

  if tenant is null and authz.may_on_platform('platform.grant') is not true then
    raise exception 'the caller would lose permission platform.grant'
      using errcode = 'object_not_in_prerequisite_state';
  end if;

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
$function$;

CREATE OR REPLACE FUNCTION iam.create_tenant(kind iam.tenant_kind, slug text, name text, parent_id uuid DEFAULT NULL::uuid, institution_type text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  founder uuid := auth.uid();
  founded uuid;
begin
  perform authz.assert_session('enrolled');

  if create_tenant.parent_id is not null then
    perform iam.lock_tenant(create_tenant.parent_id);
    perform authz.assert_permission('tenant.configure', create_tenant.parent_id);

    -- The ownership would outlast an elevation.
    if create_tenant.parent_id not in (select authz.person_governed_with(founder, 'tenant.configure')) then
      raise exception 'permission tenant.configure is required in this tenant without an elevation'
        using errcode = 'insufficient_privilege';
    end if;
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
$function$;

CREATE OR REPLACE FUNCTION iam.accept_invitation(token text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me constant uuid := auth.uid();
  open_invitation record;
  wanted_code text;
  had_owner boolean;
begin
  perform authz.assert_session('enrolled');

  select i.*
  into open_invitation
  from iam.invitations as i
  where i.token_hash = sha256(accept_invitation.token::bytea);

  if found then
    perform iam.lock_tenant(open_invitation.tenant_id);
    had_owner := iam.has_granting_owner(open_invitation.tenant_id);
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
    and (
      not iam.requires_grant(i.role_id)
      or i.tenant_id in (
        select authz.person_governed_with(i.invited_by, 'role.grant')
        union
        select authz.supported_tenant_ids(i.invited_by)
      )
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

  perform iam.assert_not_widened(open_invitation.role_id, open_invitation.created_at);

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

  perform iam.assert_owner_remains(open_invitation.tenant_id, had_owner);

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
$function$;

CREATE OR REPLACE FUNCTION core.soft_delete(p_table regclass, p_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me uuid := auth.uid();
begin
  if not core.may_delete(p_table, p_id) then
    return false;
  end if;

  case p_table::text
    when 'ai.conversations' then
      update ai.conversations as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

    when 'content.folders' then
      perform core.lock_tree(p_table);

      update content.folders as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

      -- With its contents, which core.restore() recognizes by the same time.
      if found then
        update content.folders as t
        set deleted_at = now(), deleted_by = me
        where t.ancestor_ids @> array[p_id]
          and t.deleted_at is null;

        update content.items as t
        set deleted_at = now(), deleted_by = me
        where t.folder_id in (
            select f.id from content.folders as f where f.id = p_id or f.ancestor_ids @> array[p_id]
          )
          and t.deleted_at is null;

        return true;
      end if;

    when 'content.items' then
      -- An item that has been approved meanwhile is another case.
      perform from content.items as t
      where t.id = p_id
      for no key update;

      if not core.may_delete(p_table, p_id) then
        return false;
      end if;

      update content.items as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

    when 'iam.roles' then
      update iam.roles as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'role.changed',
        action => 'soft_delete',
        resource => 'iam.roles',
        risk => 'critical',
        details => jsonb_build_object('role', p_id)
      );

      return true;

    when 'iam.tenants' then
      perform core.lock_tree(p_table);

      -- Only after its closure, and without descendants, which would lose their administrators.
      update iam.tenants as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null
        and t.status = 'closing'
        and not exists (
          select
          from iam.tenants as below
          where below.parent_id = t.id
            and below.deleted_at is null
        );

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'tenant.deleted', action => 'soft_delete', resource => 'iam.tenants', risk => 'high', tenant => p_id
      );

      return true;

    when 'iam.units' then
      perform core.lock_tree(p_table);

      update iam.units as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

      -- With the units below, which core.restore() recognizes by the same time.
      if found then
        update iam.units as t
        set deleted_at = now(), deleted_by = me
        where t.ancestor_ids @> array[p_id]
          and t.deleted_at is null;

        return true;
      end if;

    when 'media.media' then
      update media.media as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;
  end case;

  return found;
end
$function$;

CREATE OR REPLACE FUNCTION core.restore(p_table regclass, p_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  removed_at timestamptz;
begin
  if not core.may_delete(p_table, p_id) then
    return false;
  end if;

  case p_table::text
    when 'ai.conversations' then
      update ai.conversations as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

    when 'content.folders' then
      perform core.lock_tree(p_table);

      select t.deleted_at
      into removed_at
      from content.folders as t
      where t.id = p_id
      for update;

      if removed_at is null then
        return false;
      end if;

      -- To the top level, if the folder above is still deleted.
      update content.folders as t
      set
        deleted_at = null,
        deleted_by = null,
        parent_id = (select above.id from content.folders as above where above.id = t.parent_id and above.deleted_at is null)
      where t.id = p_id;

      -- With the contents that were deleted with it.
      update content.folders as t
      set deleted_at = null, deleted_by = null
      where t.ancestor_ids @> array[p_id]
        and t.deleted_at = removed_at;

      update content.items as t
      set deleted_at = null, deleted_by = null
      where t.folder_id in (
          select f.id
          from content.folders as f
          where (f.id = p_id or f.ancestor_ids @> array[p_id])
            and f.deleted_at is null
        )
        and t.deleted_at = removed_at;

      return true;

    when 'content.items' then
      -- The lock waits for a concurrent deletion of the folder.
      perform from content.folders as f
      where f.id = (select t.folder_id from content.items as t where t.id = p_id)
      for share;

      -- To the top level, if its folder is still deleted.
      update content.items as t
      set
        deleted_at = null,
        deleted_by = null,
        folder_id = (select f.id from content.folders as f where f.id = t.folder_id and f.deleted_at is null)
      where t.id = p_id
        and t.deleted_at is not null;

    when 'iam.roles' then
      update iam.roles as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'role.changed',
        action => 'restore',
        resource => 'iam.roles',
        risk => 'critical',
        details => jsonb_build_object('role', p_id)
      );

      return true;

    when 'iam.tenants' then
      perform core.lock_tree(p_table);

      update iam.tenants as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null
        and not exists (
          select
          from iam.tenants as above
          where above.id = t.parent_id
            and above.deleted_at is not null
        );

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'tenant.restored', action => 'restore', resource => 'iam.tenants', risk => 'high', tenant => p_id
      );

      return true;

    when 'iam.units' then
      perform core.lock_tree(p_table);

      select t.deleted_at
      into removed_at
      from iam.units as t
      where t.id = p_id
      for update;

      if removed_at is null then
        return false;
      end if;

      -- To the top level, if the unit above is still deleted.
      update iam.units as t
      set
        deleted_at = null,
        deleted_by = null,
        parent_id = (select above.id from iam.units as above where above.id = t.parent_id and above.deleted_at is null)
      where t.id = p_id;

      -- With the units below that were deleted with it.
      update iam.units as t
      set deleted_at = null, deleted_by = null
      where t.ancestor_ids @> array[p_id]
        and t.deleted_at = removed_at;

      return true;

    when 'media.media' then
      update media.media as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;
  end case;

  return found;
end
$function$;

CREATE OR REPLACE FUNCTION core.may_delete(p_table regclass, p_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  me uuid := auth.uid();
begin
  case p_table::text
    when 'ai.conversations' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from ai.conversations as t
        where t.id = p_id
          and t.user_id = me
          and (t.tenant_id is null or t.tenant_id = any (array(select authz.tenant_ids())))
          and (t.deleted_at is null or t.deleted_by = me)
      );

    when 'content.folders' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from content.folders as t
        where t.id = p_id
          and t.tenant_id = any (array(select authz.governed_with('content.delete')))
      );

    when 'content.items' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from content.items as t
        where t.id = p_id
          and (
            (
              t.owner_id = me
              and t.tenant_id = any (array(select authz.tenants_with('content.create')))
              and (
                t.status not in ('approved', 'published')
                or t.tenant_id = any (array(select authz.tenants_with('content.publish')))
              )
              and (t.deleted_at is null or t.deleted_by = me)
            )
            or t.tenant_id = any (array(select authz.governed_with('content.delete')))
            or (t.tenant_id is null and authz.is_super_admin())
          )
      );

    when 'iam.roles' then
      perform authz.assert_session('always');

      return authz.may_on_platform('platform.grant')
        and exists (
          select
          from iam.roles as t
          where t.id = p_id
            and not t.is_system
            and not exists (
              select
              from iam.user_roles as ur
              where ur.role_id = t.id
                and ur.user_id = me
                and ur.revoked_at is null
            )
        );

    when 'iam.tenants' then
      perform authz.assert_session('always');

      return authz.may_on_platform('tenant.suspend');

    when 'iam.units' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from iam.units as t
        where t.id = p_id
          and t.tenant_id = any (array(select authz.governed_with('unit.manage')))
      );

    when 'media.media' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from media.media as t
        where t.id = p_id
          and (
            (
              t.owner_id = me
              and (t.tenant_id is null or t.tenant_id = any (array(select authz.tenants_with('media.create'))))
              and (t.deleted_at is null or t.deleted_by = me)
            )
            or t.tenant_id = any (array(select authz.governed_with('media.delete')))
            or (t.tenant_id is null and t.owner_id is null and authz.is_super_admin())
          )
      );

    else
      raise exception 'rows of % cannot be soft-deleted', p_table
        using errcode = 'invalid_parameter_value';
  end case;
end
$function$;

drop function iam.has_grantor(uuid);
drop function iam.assert_not_widened(uuid, uuid, timestamp with time zone);
drop function iam.assert_grantor_remains(uuid, boolean);

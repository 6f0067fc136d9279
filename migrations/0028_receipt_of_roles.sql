-- 0028 receipt of roles
-- from: schema/core/_functions/lock_moved_tree.sql.j2, schema/core/_functions/may_delete.sql.j2, schema/core/_functions/restore.sql.j2, schema/core/_functions/soft_delete.sql.j2, schema/audit/_functions/security_events.sql.j2, schema/iam/roles.sql.j2, schema/iam/tenants.sql.j2, schema/iam/_functions/accept_invitation.sql.j2, schema/iam/_functions/assert_not_widened.sql.j2, schema/iam/_functions/grant_permission.sql.j2, schema/iam/_functions/grant_role.sql.j2, schema/iam/_functions/join_by_domain.sql.j2, schema/iam/_functions/lock_platform.sql.j2, schema/iam/_functions/may_allow.sql.j2, schema/iam/_functions/reject_deleted_unit.sql.j2, schema/iam/units.sql.j2, schema/iam/_functions/requires_grant.sql.j2, schema/iam/_functions/revoke_permission.sql.j2, schema/iam/_functions/set_role_permission.sql.j2, schema/content/_functions/copy_root_to_part.sql.j2, schema/content/_functions/reject_deleted_folder.sql.j2, schema/content/folders.sql.j2, schema/content/_functions/require_publisher.sql.j2, schema/content/items.sql.j2, schema/content/ai_agents.sql.j2, schema/content/automations.sql.j2, schema/content/prompts.sql.j2, schema/content/documents.sql.j2, schema/content/videos.sql.j2
-- migrate:up

-- schema/core/_functions/lock_moved_tree.sql.j2

create function core.lock_moved_tree()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform core.lock_tree(tg_relid);
  return null;
end
$$;

comment on function core.lock_moved_tree() is 'Trigger aa_tree: see core.lock_tree().';

revoke all on function core.lock_moved_tree() from public;

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
$$;

-- schema/audit/_functions/security_events.sql.j2

-- See audit.events().
create or replace function audit.security_events(
  tenant uuid default null,
  person uuid default null,
  event_code text default null,
  at_least audit.risk_level default 'low',
  since timestamptz default '-infinity',
  until timestamptz default 'infinity',
  before_id uuid default null,
  page_size integer default 50
)
returns table (
  id uuid,
  occurred_at timestamptz,
  event text,
  user_id uuid,
  tenant_id uuid,
  action text,
  resource text,
  outcome text,
  risk_level audit.risk_level,
  aal text,
  ip_address inet,
  user_agent text,
  session_id uuid,
  request_id uuid,
  details jsonb
)
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  event_id uuid;
  reads_log boolean;
begin
  perform authz.assert_session('enrolled');

  reads_log := audit.may_read(tenant);

  if person is distinct from auth.uid() and not reads_log then
    raise exception 'permission audit.read is required in this tenant'
      using errcode = 'insufficient_privilege',
            hint = 'Pass your own id as person to read the events that concern you.';
  end if;

  if page_size is null or page_size not between 1 and 1000 then
    raise exception 'page_size must be between 1 and 1000, not %', page_size
      using errcode = 'invalid_parameter_value';
  end if;

  if event_code is not null then
    select t.id
    into event_id
    from audit.event_types as t
    where t.code = event_code;

    if event_id is null then
      raise exception 'event type % does not exist', event_code
        using errcode = 'no_data_found';
    end if;
  end if;

  return query
  select
    log.id,
    log.occurred_at,
    t.code,
    log.user_id,
    log.tenant_id,
    log.action,
    log.resource,
    log.outcome,
    log.risk_level,
    case when cause.shown then log.aal end,
    case when cause.shown then log.ip_address end,
    case when cause.shown then log.user_agent end,
    case when cause.shown then log.session_id end,
    case when cause.shown then log.request_id end,
    case when cause.shown then log.details else log.details - array['caller', 'by', 'granted_by', 'revoked_by', 'reason'] end
  from audit.security_audit as log
  join audit.event_types as t on t.id = log.event_type_id
  -- Events whose caller log_security() does not name as the person concerned show no session.
  cross join lateral (select reads_log or log.details -> 'caller' = to_jsonb(log.user_id) as shown) as cause
  where log.occurred_at >= since
    and log.occurred_at <= until
    and (before_id is null or (log.occurred_at, log.id) < (until, before_id))
    and (tenant is null or log.tenant_id = tenant)
    and (person is null or log.user_id = person)
    and (event_id is null or log.event_type_id = event_id)
    and log.risk_level >= at_least
    -- The predicate of the index.
    and (at_least < 'high' or log.risk_level in ('high', 'critical'))
  order by log.occurred_at desc, log.id desc
  limit page_size;
end
$$;

-- schema/iam/roles.sql.j2

-- Before the rows are locked, as deletions do.
create trigger aa_tree
  before update of parent_role_id on iam.roles
  for each statement execute function core.lock_moved_tree();

-- schema/iam/tenants.sql.j2

-- Before the rows are locked, as deletions do.
create trigger aa_tree
  before update of parent_id on iam.tenants
  for each statement execute function core.lock_moved_tree();

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
$$;

-- schema/iam/_functions/assert_not_widened.sql.j2

create function iam.assert_not_widened(role uuid, since timestamptz default '-infinity')
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
  ) then
    raise exception 'the caller has added a permission to the role, and receives it from another person only'
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

comment on function iam.assert_not_widened(uuid, timestamptz) is
  'Raises insufficient_privilege if the caller has added a permission to a role since a time. For functions by which people '
  'receive a role without a new decision of another person.';

revoke all on function iam.assert_not_widened(uuid, timestamptz) from public;

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
$$;

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
$$;

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
$$;

-- schema/iam/_functions/lock_platform.sql.j2

comment on function iam.lock_platform() is 'Locks the platform until the transaction ends. Functions that grant, deny or revoke on it lock it before they test permission platform.grant, so that of two super admins who take it from each other one keeps it.';

-- schema/iam/_functions/may_allow.sql.j2

create function iam.may_allow(permission_code text, tenant uuid, role uuid default null)
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

comment on function iam.may_allow(text, uuid, uuid) is
  'Whether the caller can allow a permission in a tenant, or end its denial: callers who hold it there, and to a role that '
  'they hold or have held there, those who hold it as a member, not by an elevation or from a tenant above, which it would '
  'outlast. Without a tenant, a denial to another role than those of the caller.';

revoke all on function iam.may_allow(text, uuid, uuid) from public;

-- schema/iam/_functions/reject_deleted_unit.sql.j2

create or replace function iam.reject_deleted_unit()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  if wanted is null or tg_op = 'UPDATE' and wanted = (to_jsonb(old) ->> tg_argv[0])::uuid then
    return null;
  end if;

  -- The lock waits for a concurrent deletion, which deletes the rows below that are visible to it.
  perform from iam.units as t
  where t.id = wanted
    and t.deleted_at is null
  for share;

  if not found then
    raise exception 'the unit does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return null;
end
$$;

-- schema/iam/units.sql.j2

-- Before the rows are locked, as deletions do.
create trigger aa_tree
  before update of parent_id on iam.units
  for each statement execute function core.lock_moved_tree();

-- schema/iam/_functions/requires_grant.sql.j2

comment on function iam.requires_grant(uuid) is 'Whether an invitation or a domain that receives people gives a role only with permission role.grant: each except member.';

-- schema/iam/_functions/revoke_permission.sql.j2

create or replace function iam.revoke_permission(permission_grant uuid)
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
$$;

comment on function iam.set_role_permission(text, text, boolean) is 'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing changes. Rejected if the caller would gain the permission in a tenant, or lose platform.grant, or if owners would lose role.grant.';

-- schema/content/_functions/copy_root_to_part.sql.j2

comment on function content.copy_root_to_part() is 'Trigger ba_root: copies a change of tenant, owner or audience of an item to its typed part. Trigger ba_status: locks the part.';

-- schema/content/_functions/reject_deleted_folder.sql.j2

create or replace function content.reject_deleted_folder()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  if wanted is null or tg_op = 'UPDATE' and wanted = (to_jsonb(old) ->> tg_argv[0])::uuid then
    return null;
  end if;

  -- The lock waits for a concurrent deletion, which deletes the rows below that are visible to it.
  perform from content.folders as t
  where t.id = wanted
    and t.deleted_at is null
  for share;

  if not found then
    raise exception 'the folder does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return null;
end
$$;

-- schema/content/folders.sql.j2

-- Before the rows are locked, as deletions do.
create trigger aa_tree
  before update of parent_id on content.folders
  for each statement execute function core.lock_moved_tree();

-- schema/content/_functions/require_publisher.sql.j2

create or replace function content.require_publisher()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
declare
  tenant uuid;
  is_protected boolean;
begin
  if auth.uid() is null then
    return coalesce(new, old); -- service_role, a job or a seed
  end if;

  if tg_table_name = 'items' then
    tenant := coalesce(new.tenant_id, old.tenant_id);
    is_protected := new.status in ('approved', 'published') or old.status = 'published';
  else
    -- Runs with the caller's privileges, so that the error does not disclose the status of an item that the caller cannot
    -- update. A concurrent approval or publication has locked this row, see the trigger ba_status.
    select i.tenant_id, i.status in ('approved', 'published')
    into tenant, is_protected
    from content.items as i
    where i.id = coalesce(new.item_id, old.item_id);
  end if;

  if is_protected
    and (
      tenant = any (array(select authz.tenants_with('content.publish')))
      or tenant is null and authz.is_super_admin()
    ) is not true
  then
    raise exception 'changing an approved or published item requires the permission content.publish'
      using errcode = 'insufficient_privilege',
            hint = 'Change an approved item to a draft first, or ask a person with the permission to withdraw a published one.';
  end if;

  return coalesce(new, old);
end
$$;

comment on function content.require_publisher() is 'Trigger ad_publisher: requires content.publish to approve an item, to publish it, to withdraw it, and for every change of an approved or published item and of its typed part. An approved item becomes a draft without it.';

-- schema/content/items.sql.j2

drop trigger ad_publisher on content.items;

create trigger ad_publisher
  before insert or update or delete on content.items
  for each row when (current_user <> 'aigym_owner')
  execute function content.require_publisher();

-- Locks the part: concurrent changes of it wait and see the new status.
create trigger ba_status
  after update of status on content.items
  for each row
  when (old.status <> new.status and old.audience = new.audience)
  execute function content.copy_root_to_part();

-- schema/content/ai_agents.sql.j2

drop trigger ad_publisher on content.ai_agents;

create trigger ad_publisher
  before insert or update or delete on content.ai_agents
  for each row when (current_user <> 'aigym_owner')
  execute function content.require_publisher();

-- schema/content/automations.sql.j2

drop trigger ad_publisher on content.automations;

create trigger ad_publisher
  before insert or update or delete on content.automations
  for each row when (current_user <> 'aigym_owner')
  execute function content.require_publisher();

-- schema/content/prompts.sql.j2

drop trigger ad_publisher on content.prompts;

create trigger ad_publisher
  before insert or update or delete on content.prompts
  for each row when (current_user <> 'aigym_owner')
  execute function content.require_publisher();

-- schema/content/documents.sql.j2

drop trigger ad_publisher on content.documents;

create trigger ad_publisher
  before insert or update or delete on content.documents
  for each row when (current_user <> 'aigym_owner')
  execute function content.require_publisher();

-- schema/content/videos.sql.j2

drop trigger ad_publisher on content.videos;

create trigger ad_publisher
  before insert or update or delete on content.videos
  for each row when (current_user <> 'aigym_owner')
  execute function content.require_publisher();

-- no longer in the templates

drop function iam.can_receive(uuid);

-- migrate:down

CREATE OR REPLACE FUNCTION iam.can_receive(role uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select not iam.requires_grant(can_receive.role)
    or exists (
      select
      from iam.user_roles as ur
      where ur.user_id = auth.uid()
        and ur.role_id = can_receive.role
        and ur.tenant_id is not null
        and ur.revoked_at is null
    )
    or exists (
      select
      from iam.tenant_domains as d
      where d.default_role_id = can_receive.role
    )
    or exists (
      select
      from iam.invitations as i
      join iam.profiles as p on lower(p.email) = lower(i.email)
      where p.id = auth.uid()
        and i.role_id = can_receive.role
        and i.accepted_at is null
        and i.revoked_at is null
    )
$function$;

comment on function iam.can_receive(uuid) is 'Whether the caller holds a role in a tenant or can receive it without another person: member, the default role of a domain, and the role of an invitation to the caller that is neither accepted nor revoked.';
drop trigger ad_publisher on content.videos;
CREATE TRIGGER ad_publisher BEFORE INSERT OR DELETE OR UPDATE ON content.videos FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION content.require_publisher();
drop trigger ad_publisher on content.documents;
CREATE TRIGGER ad_publisher BEFORE INSERT OR DELETE OR UPDATE ON content.documents FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION content.require_publisher();
drop trigger ad_publisher on content.prompts;
CREATE TRIGGER ad_publisher BEFORE INSERT OR DELETE OR UPDATE ON content.prompts FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION content.require_publisher();
drop trigger ad_publisher on content.automations;
CREATE TRIGGER ad_publisher BEFORE INSERT OR DELETE OR UPDATE ON content.automations FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION content.require_publisher();
drop trigger ad_publisher on content.ai_agents;
CREATE TRIGGER ad_publisher BEFORE INSERT OR DELETE OR UPDATE ON content.ai_agents FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION content.require_publisher();
drop trigger ba_status on content.items;
drop trigger ad_publisher on content.items;
CREATE TRIGGER ad_publisher BEFORE INSERT OR DELETE OR UPDATE ON content.items FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION content.require_publisher();
comment on function content.require_publisher() is 'Trigger ad_publisher: requires content.publish to approve an item, to publish it, to withdraw it, and for every change of an approved or published item and of its typed part.';

CREATE OR REPLACE FUNCTION content.require_publisher()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  tenant uuid;
  is_shown boolean;
begin
  if auth.uid() is null then
    return coalesce(new, old); -- service_role, a job or a seed
  end if;

  if tg_table_name = 'items' then
    tenant := new.tenant_id;
    -- core.may_delete() decides who deletes and restores.
    is_shown := new.deleted_at is not distinct from old.deleted_at
      and (new.status in ('approved', 'published') or old.status = 'published');
  else
    -- Runs with the caller's privileges, so that the error does not disclose the status of an item that the caller cannot
    -- update. The lock waits for a concurrent approval or publication.
    select i.tenant_id, i.status in ('approved', 'published')
    into tenant, is_shown
    from content.items as i
    where i.id = coalesce(new.item_id, old.item_id)
    for share;
  end if;

  if is_shown
    and (
      tenant = any (array(select authz.tenants_with('content.publish')))
      or tenant is null and authz.is_super_admin()
    ) is not true
  then
    raise exception 'changing an approved or published item requires the permission content.publish'
      using errcode = 'insufficient_privilege',
            hint = 'Change an approved item to a draft first, or ask a person with the permission to withdraw a published one.';
  end if;

  return coalesce(new, old);
end
$function$;

drop trigger aa_tree on content.folders;

CREATE OR REPLACE FUNCTION content.reject_deleted_folder()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  if wanted is null or tg_op = 'UPDATE' and wanted = (to_jsonb(old) ->> tg_argv[0])::uuid then
    return null;
  end if;

  -- The lock waits for a concurrent deletion, which deletes what it sees below.
  perform from content.folders as t
  where t.id = wanted
    and t.deleted_at is null
  for share;

  if not found then
    raise exception 'the folder does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return null;
end
$function$;

comment on function content.copy_root_to_part() is 'Trigger ba_root: copies a change of tenant, owner or audience of an item to its typed part.';
comment on function iam.set_role_permission(text, text, boolean) is 'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing changes. Rejected if the caller would gain the permission in a tenant, see iam.can_receive(), or lose platform.grant, or if owners would lose role.grant.';

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
  perform authz.assert_session('always');
  perform iam.lock_platform();

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

  -- In the tenants of the caller, rights are gained by an elevation or from another person only.
  if granted and iam.can_receive(wanted_role) then
    raise exception 'a permission cannot be added to a role that the caller holds or can receive in a tenant'
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
$function$;

comment on function iam.requires_grant(uuid) is 'Whether an invitation or a domain gives a role only with permission role.grant: each except member.';
drop trigger aa_tree on iam.units;

CREATE OR REPLACE FUNCTION iam.reject_deleted_unit()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  if wanted is null or tg_op = 'UPDATE' and wanted = (to_jsonb(old) ->> tg_argv[0])::uuid then
    return null;
  end if;

  -- The lock waits for a concurrent deletion, which deletes what it sees below.
  perform from iam.units as t
  where t.id = wanted
    and t.deleted_at is null
  for share;

  if not found then
    raise exception 'the unit does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return null;
end
$function$;

comment on function iam.lock_platform() is 'Locks the platform until the transaction ends. Functions that change its roles and permissions lock it before they test permission platform.grant, so that of two super admins who take it from each other one keeps it.';

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
  perform authz.assert_session('always');

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
  perform authz.assert_session('always');

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

  -- Admins decide neither about owners nor about what they do not hold themselves, and super admins shorten no denial to a
  -- role that they hold; so no denial of their own ends.
  if (tenant is not null and authz.rank_in(auth.uid(), tenant) < wanted_rank)
    or (
      (
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
      and case
        when tenant is null then
          exists (
            select
            from iam.user_roles as ur
            where ur.user_id = auth.uid()
              and ur.role_id = wanted_role
              and ur.revoked_at is null
          )
        else
          not exists (select from authz.governed_with(permission_code) as governed (id) where governed.id = tenant)
      end
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

drop trigger aa_tree on iam.tenants;
drop trigger aa_tree on iam.roles;

CREATE OR REPLACE FUNCTION audit.security_events(tenant uuid DEFAULT NULL::uuid, person uuid DEFAULT NULL::uuid, event_code text DEFAULT NULL::text, at_least audit.risk_level DEFAULT 'low'::audit.risk_level, since timestamp with time zone DEFAULT '-infinity'::timestamp with time zone, until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, before_id uuid DEFAULT NULL::uuid, page_size integer DEFAULT 50)
 RETURNS TABLE(id uuid, occurred_at timestamp with time zone, event text, user_id uuid, tenant_id uuid, action text, resource text, outcome text, risk_level audit.risk_level, aal text, ip_address inet, user_agent text, session_id uuid, request_id uuid, details jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
declare
  event_id uuid;
  reads_log boolean;
begin
  perform authz.assert_session('enrolled');

  reads_log := audit.may_read(tenant);

  if person is distinct from auth.uid() and not reads_log then
    raise exception 'permission audit.read is required in this tenant'
      using errcode = 'insufficient_privilege',
            hint = 'Pass your own id as person to read the events that concern you.';
  end if;

  if page_size is null or page_size not between 1 and 1000 then
    raise exception 'page_size must be between 1 and 1000, not %', page_size
      using errcode = 'invalid_parameter_value';
  end if;

  if event_code is not null then
    select t.id
    into event_id
    from audit.event_types as t
    where t.code = event_code;

    if event_id is null then
      raise exception 'event type % does not exist', event_code
        using errcode = 'no_data_found';
    end if;
  end if;

  return query
  select
    log.id,
    log.occurred_at,
    t.code,
    log.user_id,
    log.tenant_id,
    log.action,
    log.resource,
    log.outcome,
    log.risk_level,
    case when cause.shown then log.aal end,
    case when cause.shown then log.ip_address end,
    case when cause.shown then log.user_agent end,
    case when cause.shown then log.session_id end,
    case when cause.shown then log.request_id end,
    case when cause.shown then log.details else log.details - array['caller', 'reason'] end
  from audit.security_audit as log
  join audit.event_types as t on t.id = log.event_type_id
  -- Events whose caller log_security() does not name as the person concerned show no session.
  cross join lateral (select reads_log or log.details -> 'caller' = to_jsonb(log.user_id) as shown) as cause
  where log.occurred_at >= since
    and log.occurred_at <= until
    and (before_id is null or (log.occurred_at, log.id) < (until, before_id))
    and (tenant is null or log.tenant_id = tenant)
    and (person is null or log.user_id = person)
    and (event_id is null or log.event_type_id = event_id)
    and log.risk_level >= at_least
    -- The predicate of the index.
    and (at_least < 'high' or log.risk_level in ('high', 'critical'))
  order by log.occurred_at desc, log.id desc
  limit page_size;
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
      perform core.lock_tree('content.folders');

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

drop function iam.may_allow(text, uuid, uuid);
drop function iam.assert_not_widened(uuid, timestamp with time zone);
drop function core.lock_moved_tree();

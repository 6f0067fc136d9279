-- 0026 memberships files and logs
-- from: schema/core/_functions/may_delete.sql.j2, schema/core/_functions/restore.sql.j2, schema/core/_functions/soft_delete.sql.j2, schema/audit/_functions/elevate.sql.j2, schema/audit/_functions/log_security.sql.j2, schema/audit/_functions/events.sql.j2, schema/audit/_functions/security_events.sql.j2, schema/iam/_functions/accept_invitation.sql.j2, schema/iam/_functions/assert_other_owner.sql.j2, schema/iam/_functions/create_tenant.sql.j2, schema/iam/_functions/grant_permission.sql.j2, schema/iam/_functions/guard_domain_verification.sql.j2, schema/iam/_functions/hand_over_ownership.sql.j2, schema/iam/_functions/invite.sql.j2, schema/iam/_functions/join_by_domain.sql.j2, schema/iam/_functions/reject_deleted_unit.sql.j2, schema/iam/units.sql.j2, schema/iam/unit_members.sql.j2, schema/authz/_functions/unit_ids.sql.j2, schema/iam/_functions/has_granting_owner.sql.j2, schema/iam/_functions/request_membership.sql.j2, schema/iam/_functions/revoke_invitation.sql.j2, schema/iam/_functions/set_membership_status.sql.j2, schema/iam/_functions/set_role_permission.sql.j2, schema/media/_functions/reject_unseen_file.sql.j2, schema/content/_functions/publish_item.sql.j2, schema/content/items.sql.j2, schema/content/ai_agents.sql.j2, schema/content/documents.sql.j2, schema/content/videos.sql.j2, policies/iam.sql.j2, policies/media.sql.j2, policies/ai.sql.j2
-- migrate:up

-- no longer in the templates

drop trigger ab_file on content.ai_agents;

drop trigger ab_file on content.documents;

drop trigger ab_file on content.items;

drop trigger ab_file on content.videos;

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

comment on function core.restore(regclass, uuid) is 'Restores a soft-deleted row, a folder or unit with what was deleted with it, and returns whether it was restored. Requires the same permission as core.soft_delete(). Only a super admin can restore a tenant, after the tenant above it.';

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

comment on function core.soft_delete(regclass, uuid) is 'Soft-deletes a row, a folder with its contents, a unit with those below, and returns whether it existed. A function is required, because the policies reject an UPDATE after which the caller can no longer read the row.';

-- schema/audit/_functions/elevate.sql.j2

create or replace function audit.elevate(
  scope text,
  reason text,
  target_user uuid default null,
  tenant uuid default null,
  ticket text default null,
  lasting interval default '1 hour'
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  opened uuid;
begin
  perform authz.assert_session('always');

  if not authz.is_super_admin() or not authz.may_on_platform('platform.elevate') then
    raise exception 'only a super admin with permission platform.elevate can open an elevation'
      using errcode = 'insufficient_privilege';
  end if;

  if scope = 'phi_read' and (target_user is null or target_user = auth.uid()) then
    raise exception 'an elevation of scope % requires another person as target_user', scope
      using errcode = 'invalid_parameter_value',
            hint = 'Pass target_user.';
  end if;

  if scope = 'tenant_support'
    and not exists (select from iam.tenants as t where t.id = elevate.tenant and t.deleted_at is null)
  then
    raise exception 'an elevation of scope % requires a tenant', scope
      using errcode = 'invalid_parameter_value',
            hint = 'Pass tenant.';
  end if;

  if lasting is null or lasting not between interval '1 minute' and interval '4 hours' then
    raise exception 'the duration of an elevation must be between one minute and four hours, not %', lasting
      using errcode = 'invalid_parameter_value';
  end if;

  insert into audit.security_contexts (
    user_id, tenant_id, scope, target_user_id, reason, ticket_ref, elevated_by, expires_at
  )
  values (
    auth.uid(), tenant, elevate.scope, target_user, core.safe_text(elevate.reason, 500), ticket, auth.uid(), now() + lasting
  )
  returning id into opened;

  perform audit.log_security(
    'elevation.opened',
    action => 'elevate',
    resource => scope,
    risk => 'critical',
    tenant => tenant,
    details => jsonb_build_object(
      'context', opened,
      'target_user', target_user,
      'ticket', ticket,
      'lasting', lasting
    )
  );

  return opened;
end
$$;

-- schema/audit/_functions/log_security.sql.j2

-- Not executable through the API, because callers could forge events. Called by functions whose actions are recorded.
create or replace function audit.log_security(
  event_code text,
  action text,
  resource text default null,
  outcome text default 'success',
  risk audit.risk_level default 'low',
  tenant uuid default null,
  details jsonb default '{}',
  person uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  event uuid;
  recorded uuid;
begin
  select event_type.id
  into event
  from audit.event_types as event_type
  where event_type.code = event_code;

  if event is null then
    raise exception 'event type % does not exist', event_code
      using errcode = 'no_data_found',
            hint = 'Add it to audit.event_types; the reference seed contains those that the functions use.';
  end if;

  insert into audit.security_audit (
    occurred_at,
    event_type_id,
    user_id,
    tenant_id,
    action,
    resource,
    outcome,
    risk_level,
    aal,
    ip_address,
    user_agent,
    session_id,
    request_id,
    details
  )
  select
    clock_timestamp(),
    event,
    coalesce(person, caller.user_id),
    tenant,
    left(log_security.action, 100),
    left(log_security.resource, 200),
    log_security.outcome,
    risk,
    caller.aal,
    case when risk >= 'high' then caller.ip_address else audit.network_of(caller.ip_address) end,
    caller.user_agent,
    caller.session_id,
    caller.request_id,
    coalesce(log_security.details, '{}') || case
      when coalesce(person, caller.user_id) is distinct from caller.user_id then
        jsonb_build_object('caller', caller.user_id)
      else '{}'
    end
  from audit.caller() as caller
  returning id into recorded;

  return recorded;
end
$$;

comment on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid) is 'Inserts one event into audit.security_audit and returns its id. `person` is the account concerned (default: the caller). If it is not the caller, details.caller is the id of the caller, to whom the address, the user agent, the session and the request belong.';

-- schema/audit/_functions/events.sql.j2

-- The log has no policy for people: a policy that admits auditors makes each other caller scan every partition. A custom
-- plan for each call omits the conditions of absent arguments and the partitions outside the times.
create or replace function audit.events(
  tenant uuid default null,
  person uuid default null,
  actor uuid default null,
  changed_table text default null,
  row_key jsonb default null,
  since timestamptz default '-infinity',
  until timestamptz default 'infinity',
  before_id uuid default null,
  page_size integer default 50
)
returns setof audit.audit_log
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  wanted_schema constant text := split_part(changed_table, '.', 1);
  wanted_table constant text := split_part(changed_table, '.', 2);
begin
  perform authz.assert_session('enrolled');

  if not audit.may_read(tenant) then
    raise exception 'permission audit.read is required in this tenant'
      using errcode = 'insufficient_privilege';
  end if;

  if page_size is null or page_size not between 1 and 1000 then
    raise exception 'page_size must be between 1 and 1000, not %', page_size
      using errcode = 'invalid_parameter_value';
  end if;

  return query
  select log.*
  from audit.audit_log as log
  where log.occurred_at >= since
    and log.occurred_at <= until
    and (before_id is null or (log.occurred_at, log.id) < (until, before_id))
    and (tenant is null or log.tenant_id = tenant)
    and (person is null or log.subject_user_id = person)
    and (actor is null or log.actor_id = actor)
    and (changed_table is null or log.schema_name = wanted_schema and log.table_name = wanted_table)
    and (row_key is null or log.row_pk @> row_key)
  order by log.occurred_at desc, log.id desc
  limit page_size;
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
    case when cause.shown then log.details else log.details - array['caller', 'reason'] end
  from audit.security_audit as log
  join audit.event_types as t on t.id = log.event_type_id
  -- log_security() names another person who caused the event.
  cross join lateral (select reads_log or not log.details ? 'caller' as shown) as cause
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

comment on function audit.security_events(uuid, uuid, text, audit.risk_level, timestamp with time zone, timestamp with time zone, uuid, integer) is 'The security events, newest first, at most page_size of them, with filters like those of audit.events(). A person reads the events that concern them by passing their own id as person: without the session, the address and the reason of another person who caused the event, which only those who can read the log see.';

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
    and (
      i.role_id in (select r.id from iam.roles as r where r.code = 'member')
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

-- schema/iam/_functions/assert_other_owner.sql.j2

create or replace function iam.assert_other_owner(tenant uuid, person uuid)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not iam.has_granting_owner(tenant, person) then
    raise exception 'the last owner of a tenant who can grant roles cannot leave it'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Hand over the ownership first: iam.hand_over_ownership().';
  end if;
end
$$;

comment on function iam.assert_other_owner(uuid, uuid) is 'Raises object_not_in_prerequisite_state if the tenant has no other owner by iam.has_granting_owner(). Call it after iam.lock_tenant().';

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

comment on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) is 'Creates a tenant with the subtype row of its kind and makes the caller its owner. Requires permission tenant.configure in the parent, not by an elevation.';

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
  perform authz.assert_session('always');

  if person = auth.uid() then
    raise exception 'a permission cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
    had_owner := iam.has_granting_owner(tenant);
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

  if had_owner and not iam.has_granting_owner(tenant) then
    raise exception 'the tenant would have no owner who can grant roles'
      using errcode = 'object_not_in_prerequisite_state';
  end if;

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

comment on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamp with time zone, text) is 'Allows or denies a permission in a tenant to another person or to the holders of a role, or changes such an exception, and returns its id. Requires permission role.grant, the rank of the person or role and of its holders, and the permission itself to allow it or to shorten a denial. Without a tenant, super admins deny it everywhere. Rejected if no owner of the tenant, or not the caller on the platform, could grant any more.';

-- schema/iam/_functions/guard_domain_verification.sql.j2

create or replace function iam.guard_domain_verification()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- No person is signed in: service_role, which verifies the token in DNS.
  if auth.uid() is null then
    return new;
  end if;

  if tg_op = 'UPDATE' and new.domain = old.domain then
    new.verified_at := old.verified_at;
    new.verification_token := old.verification_token;
  else
    new.verified_at := null;
    new.verification_token := replace(gen_random_uuid()::text, '-', '');
  end if;

  if new.default_role_id is not null
    and not exists (
      select
      from iam.roles as r
      where r.id = new.default_role_id
        and r.tier = 'end_user'
        and r.is_assignable
        and r.deleted_at is null
    )
  then
    raise exception 'the default role of a domain must be of tier end_user'
      using errcode = 'insufficient_privilege';
  end if;

  -- People receive the role by joining, so naming another than that of members requires what granting it requires.
  if new.default_role_id not in (select r.id from iam.roles as r where r.code = 'member') then
    perform authz.assert_permission('role.grant', new.tenant_id);
  end if;

  return new;
end
$$;

comment on function iam.guard_domain_verification() is 'Trigger ab_verification: prevents a tenant from marking its own domain as verified, and limits the default role of a domain to the tier end_user. A default role other than member requires permission role.grant.';

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
  ended_denials text[];
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

  -- Denials from before would limit the new owner, who could not end them: those to the person end here, those to another
  -- role are ended by the present owner.
  with ended as (
    delete from iam.permission_grants as g
    where g.tenant_id = hand_over_ownership.tenant
      and g.user_id = person
      and g.effect = 'deny'
    returning g.permission_id
  )
  select coalesce(array_agg(p.code order by p.code), '{}')
  into ended_denials
  from ended
  join iam.permissions as p on p.id = ended.permission_id;

  if exists (
    select
    from iam.permission_grants as g
    join iam.user_roles as ur on ur.role_id = g.role_id and ur.tenant_id = g.tenant_id
    where g.tenant_id = hand_over_ownership.tenant
      and g.effect = 'deny'
      and (g.expires_at is null or g.expires_at > now())
      and ur.user_id = person
      and ur.unit_id is null
      and ur.revoked_at is null
      and authz.role_rank(g.role_id) < 2
  ) then
    raise exception 'a permission is denied to another role of the new owner'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'End the denial or the role first: iam.revoke_permission() or iam.revoke_role().';
  end if;

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
    details => jsonb_build_object('from', me, 'to', person, 'ended_denials', ended_denials),
    person => person
  );
end
$$;

comment on function iam.hand_over_ownership(uuid, uuid) is 'Makes another active member an owner of the tenant in place of the caller, who keeps other roles. Denials to the person in the tenant end; rejected while a permission is denied to another role of the person.';

-- schema/iam/_functions/invite.sql.j2

create or replace function iam.invite(tenant uuid, email text, role_code text default 'member', unit uuid default null)
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

  -- An invitation with another role grants it.
  if role_code is distinct from 'member' then
    perform authz.assert_permission('role.grant', tenant);
  end if;

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

comment on function iam.invite(uuid, text, text, uuid) is 'Invites an address to a tenant where the caller has permission member.invite, as member or, with permission role.grant, with a role of at most the caller''s rank. Returns the token once, for the mail; only its hash is stored. The invitation ends with the right of the caller.';

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

comment on function iam.join_by_domain(uuid) is 'Makes the caller a member of a tenant that has verified the domain of the caller''s confirmed address and set auto_join, with the default role of the domain. Rejected if another person has suspended or ended the membership, or its time limit has passed.';

-- schema/iam/_functions/reject_deleted_unit.sql.j2

create function iam.reject_deleted_unit()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  if wanted is null or tg_op = 'UPDATE' and wanted = (to_jsonb(old) ->> tg_argv[0])::uuid then
    return new;
  end if;

  -- The lock waits for a concurrent deletion of the unit.
  perform from iam.units as u
  where u.id = wanted
    and u.deleted_at is null
  for share;

  if not found then
    raise exception 'the unit does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$$;

comment on function iam.reject_deleted_unit() is
  'Trigger ab_unit: rejects a reference to a deleted unit. Its argument is the referencing column.';

revoke all on function iam.reject_deleted_unit() from public;

-- schema/iam/units.sql.j2

create trigger ab_unit
  before insert or update of parent_id on iam.units
  for each row execute function iam.reject_deleted_unit('parent_id');

-- schema/iam/unit_members.sql.j2

create trigger ab_unit
  before insert or update of unit_id on iam.unit_members
  for each row execute function iam.reject_deleted_unit('unit_id');

-- schema/authz/_functions/unit_ids.sql.j2

create or replace function authz.unit_ids()
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  select um.unit_id
  from iam.unit_members as um
  join iam.units as u on u.id = um.unit_id
  where um.user_id = auth.uid()
    and um.tenant_id = any (array(select authz.tenant_ids()))
    and u.deleted_at is null
$$;

comment on function authz.unit_ids() is 'The caller''s units, except deleted ones, in tenants of which the caller is an active member.';

-- schema/iam/_functions/has_granting_owner.sql.j2

create function iam.has_granting_owner(tenant uuid, except_for uuid default null)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
    join iam.profiles as p on p.id = ur.user_id
    where ur.tenant_id = has_granting_owner.tenant
      and ur.user_id is distinct from has_granting_owner.except_for
      and ur.unit_id is null
      and ur.revoked_at is null
      and ur.expires_at is null
      and r.role_type = 'owner'
      and r.deleted_at is null
      and m.status = 'active'
      and m.expires_at is null
      and p.status = 'active'
      and authz.account_is_open(p.id)
      -- In a suspended tenant no person has a permission.
      and (
        not authz.tenant_is_open(ur.tenant_id)
        or ur.tenant_id in (select granting.id from authz.person_tenants_with(ur.user_id, 'role.grant') as granting (id))
      )
  )
$$;

comment on function iam.has_granting_owner(uuid, uuid) is
  'Whether a tenant has an owner without time limit who can grant roles, other than a person. Functions that can end this '
  'call it, so that every tenant keeps a person who can grant roles.';

revoke all on function iam.has_granting_owner(uuid, uuid) from public;

-- schema/iam/_functions/request_membership.sql.j2

create or replace function iam.request_membership(tenant uuid)
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
    set
      -- A time limit remains; after it has passed, an admin approves the request.
      status = case when m.expires_at <= now() then 'pending' else excluded.status end,
      ended_at = null,
      ended_by = null
    where m.status = 'terminated'
      and m.ended_by = me
  returning m.status
  into reached;

  if not found then
    raise exception 'the tenant accepts no requests'
      using errcode = 'insufficient_privilege';
  end if;

  perform audit.log_security(
    case reached when 'active' then 'membership.joined' else 'membership.requested' end,
    action => 'request_membership',
    resource => 'iam.memberships',
    tenant => tenant
  );

  return reached;
end
$$;

comment on function iam.request_membership(uuid) is 'Joins a public community whose join policy is open, or requests a membership that an admin approves, and returns its status. The new member has no role. The time limit of an earlier membership remains; if it has passed, an admin approves. Rejected if another person has suspended or ended the membership.';

-- schema/iam/_functions/revoke_invitation.sql.j2

comment on function iam.revoke_invitation(uuid) is 'Revokes an open invitation. Returns false if there is none, or the caller cannot invite to its tenant or has a lower rank than its role.';

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
$$;

comment on function iam.set_membership_status(uuid, uuid, iam.membership_status, text) is 'Approves, suspends, reactivates or ends the membership of another person with permission member.manage, or ends the caller''s own. An admin cannot act on an owner, and the last owner cannot leave. A membership that has ended is renewed by invitation only; approval ends a time limit that has passed. Returns false if there is no membership.';

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

  -- In the tenants of the caller, rights are gained by an elevation or from another person only.
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

comment on function iam.set_role_permission(text, text, boolean) is 'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing changes. Rejected if the caller holds the role in a tenant and would gain the permission, or would lose platform.grant.';

-- schema/media/_functions/reject_unseen_file.sql.j2

create or replace function media.reject_unseen_file()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  -- Runs with the caller's privileges, so the policies of media.media determine the visible files.
  if wanted is not null
    and (tg_op = 'INSERT' or wanted is distinct from (to_jsonb(old) ->> tg_argv[0])::uuid)
    and not exists (
      select
      from media.media as m
      where m.id = wanted
        and (m.tenant_id is null or m.tenant_id = (to_jsonb(new) ->> 'tenant_id')::uuid or m.visibility = 'public')
    )
  then
    raise exception 'the file does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$$;

comment on function media.reject_unseen_file() is 'Trigger ac_file: rejects a reference to a file that the caller cannot read, or that is of another tenant than the row and not public; otherwise the service that delivers referenced files would disclose it. Foreign keys ignore policies. Its argument is the referencing column.';

-- schema/content/_functions/publish_item.sql.j2

create or replace function content.publish_item()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  was_published boolean := tg_op = 'UPDATE' and old.status = 'published';
  is_published boolean := new.status = 'published';
  was_approved boolean := tg_op = 'UPDATE' and old.status = 'approved';
begin
  if (
      was_published <> is_published
      or was_published and new.visibility <> old.visibility
      or new.status = 'approved' and not was_approved
    )
    -- Null: service_role, a job or a seed.
    and auth.uid() is not null
    and (
      new.tenant_id = any (array(select authz.tenants_with('content.publish')))
      or new.tenant_id is null and authz.is_super_admin()
    ) is not true
  then
    raise exception 'approving, publishing and withdrawing require the permission content.publish'
      using errcode = 'insufficient_privilege';
  end if;

  if is_published and not was_published then
    new.published_at := coalesce(new.published_at, now());
    new.published_by := coalesce(auth.uid(), new.published_by);
  elsif is_published then
    new.published_at := old.published_at;
    -- Only the erasure of the publisher sets null.
    new.published_by := case when new.published_by is null then null else old.published_by end;
  elsif new.status <> 'archived' then
    new.published_at := null;
    new.published_by := null;
  end if;

  new.archived_at := case
    when new.status <> 'archived' then null
    when tg_op = 'UPDATE' and old.status = 'archived' then old.archived_at
    else now()
  end;

  if tg_op = 'UPDATE' then
    new.version := old.version;

    if old.status in ('published', 'archived') and new.status not in ('published', 'archived') then
      new.version := old.version + 1;
    end if;
  end if;

  return new;
end
$$;

comment on function content.publish_item() is 'Trigger ae_publish: requires content.publish to approve an item, to publish it, to withdraw it, and to change the visibility of a published one; sets version and the columns that record when and by which person.';

-- schema/content/items.sql.j2

create trigger ac_file
  before insert or update of thumbnail_media_id on content.items
  for each row execute function media.reject_unseen_file('thumbnail_media_id');

-- schema/content/ai_agents.sql.j2

create trigger ac_file
  before insert or update of avatar_media_id on content.ai_agents
  for each row execute function media.reject_unseen_file('avatar_media_id');

-- schema/content/documents.sql.j2

create trigger ac_file
  before insert or update of media_id on content.documents
  for each row execute function media.reject_unseen_file('media_id');

-- schema/content/videos.sql.j2

create trigger ac_file
  before insert or update of media_id on content.videos
  for each row execute function media.reject_unseen_file('media_id');

-- policies/iam.sql.j2

revoke insert, update on iam.profile_private from authenticated;

grant insert (date_of_birth, first_name, key_id, last_name, notes_enc, phone, sex_at_birth, user_id), update (date_of_birth, first_name, key_id, last_name, notes_enc, phone, sex_at_birth, user_id) on iam.profile_private to authenticated;

revoke insert, update on iam.user_preferences from authenticated;

grant insert (accessibility, marketing_opt_in, ui, user_id), update (accessibility, marketing_opt_in, ui, user_id) on iam.user_preferences to authenticated;

grant select on iam.units to aigym_authz;

-- policies/media.sql.j2

drop policy media_update on media.media;

create policy media_update on media.media
  for update to authenticated
  using (
    (
      (owner_id = (select auth.uid()) and tenant_id is null)
      or (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('media.create'))))
      or (tenant_id = any (array(select authz.tenants_with('media.edit'))) and (visibility <> 'private' or tenant_id = any (array(select authz.admin_tenant_ids()))))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  )
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id is null and visibility = 'private')
      or (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('media.create'))))
      or (tenant_id = any (array(select authz.tenants_with('media.edit'))) and (visibility <> 'private' or tenant_id = any (array(select authz.admin_tenant_ids()))))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

-- policies/ai.sql.j2

revoke insert, update on ai.providers from authenticated;

grant insert (code, data_region, has_baa, has_dpa, is_enabled, name), update (code, data_region, has_baa, has_dpa, is_enabled, name) on ai.providers to authenticated;

revoke insert, update on ai.models from authenticated;

grant insert (capabilities, code, context_tokens, input_usd_per_mtok, is_enabled, name, output_usd_per_mtok, provider_id, released_on, retired_on), update (capabilities, code, context_tokens, input_usd_per_mtok, is_enabled, name, output_usd_per_mtok, provider_id, released_on, retired_on) on ai.models to authenticated;

-- migrate:down

revoke insert (capabilities, code, context_tokens, input_usd_per_mtok, is_enabled, name, output_usd_per_mtok, provider_id, released_on, retired_on), update (capabilities, code, context_tokens, input_usd_per_mtok, is_enabled, name, output_usd_per_mtok, provider_id, released_on, retired_on) on ai.models from authenticated;
grant insert, update on ai.models to authenticated;
revoke insert (code, data_region, has_baa, has_dpa, is_enabled, name), update (code, data_region, has_baa, has_dpa, is_enabled, name) on ai.providers from authenticated;
grant insert, update on ai.providers to authenticated;
drop policy media_update on media.media;

create policy media_update on media.media
  for update to authenticated
  using (((((owner_id = ( SELECT auth.uid() AS uid)) AND (tenant_id IS NULL)) OR ((owner_id = ( SELECT auth.uid() AS uid)) AND (tenant_id = ANY (ARRAY( SELECT authz.tenants_with('media.create'::text) AS tenants_with)))) OR (tenant_id = ANY (ARRAY( SELECT authz.tenants_with('media.edit'::text) AS tenants_with))) OR ((tenant_id IS NULL) AND (owner_id IS NULL) AND ( SELECT authz.is_super_admin() AS is_super_admin))) AND (deleted_at IS NULL)))
  with check (((((owner_id = ( SELECT auth.uid() AS uid)) AND (tenant_id IS NULL) AND ((visibility)::text = 'private'::text)) OR ((owner_id = ( SELECT auth.uid() AS uid)) AND (tenant_id = ANY (ARRAY( SELECT authz.tenants_with('media.create'::text) AS tenants_with)))) OR (tenant_id = ANY (ARRAY( SELECT authz.tenants_with('media.edit'::text) AS tenants_with))) OR ((tenant_id IS NULL) AND (owner_id IS NULL) AND ( SELECT authz.is_super_admin() AS is_super_admin))) AND (deleted_at IS NULL)));

revoke select on iam.units from aigym_authz;
revoke insert (accessibility, marketing_opt_in, ui, user_id), update (accessibility, marketing_opt_in, ui, user_id) on iam.user_preferences from authenticated;
grant insert, update on iam.user_preferences to authenticated;
revoke insert (date_of_birth, first_name, key_id, last_name, notes_enc, phone, sex_at_birth, user_id), update (date_of_birth, first_name, key_id, last_name, notes_enc, phone, sex_at_birth, user_id) on iam.profile_private from authenticated;
grant insert, update on iam.profile_private to authenticated;
drop trigger ac_file on content.videos;
drop trigger ac_file on content.documents;
drop trigger ac_file on content.ai_agents;
drop trigger ac_file on content.items;
comment on function content.publish_item() is 'Trigger ae_publish: requires content.publish to publish an item, to withdraw it, and to change the visibility of a published one; sets version and the columns that record when and by which person.';

CREATE OR REPLACE FUNCTION content.publish_item()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  was_published boolean := tg_op = 'UPDATE' and old.status = 'published';
  is_published boolean := new.status = 'published';
begin
  if (was_published <> is_published or was_published and new.visibility <> old.visibility)
    -- Null: service_role, a job or a seed.
    and auth.uid() is not null
    and (
      new.tenant_id = any (array(select authz.tenants_with('content.publish')))
      or new.tenant_id is null and authz.is_super_admin()
    ) is not true
  then
    raise exception 'publishing and withdrawing require the permission content.publish'
      using errcode = 'insufficient_privilege';
  end if;

  if is_published and not was_published then
    new.published_at := coalesce(new.published_at, now());
    new.published_by := coalesce(auth.uid(), new.published_by);
  elsif is_published then
    new.published_at := old.published_at;
    -- Only the erasure of the publisher sets null.
    new.published_by := case when new.published_by is null then null else old.published_by end;
  elsif new.status <> 'archived' then
    new.published_at := null;
    new.published_by := null;
  end if;

  new.archived_at := case
    when new.status <> 'archived' then null
    when tg_op = 'UPDATE' and old.status = 'archived' then old.archived_at
    else now()
  end;

  if tg_op = 'UPDATE' then
    new.version := old.version;

    if old.status in ('published', 'archived') and new.status not in ('published', 'archived') then
      new.version := old.version + 1;
    end if;
  end if;

  return new;
end
$function$;

comment on function media.reject_unseen_file() is 'Trigger ab_file: rejects a reference to a file that the caller cannot read; otherwise the service that delivers referenced files would disclose it. Foreign keys ignore policies. Its argument is the referencing column.';

CREATE OR REPLACE FUNCTION media.reject_unseen_file()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  -- Runs with the caller's privileges, so the policies of media.media determine the visible files.
  if wanted is not null
    and (tg_op = 'INSERT' or wanted is distinct from (to_jsonb(old) ->> tg_argv[0])::uuid)
    and not exists (select from media.media as m where m.id = wanted)
  then
    raise exception 'the file does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$function$;

comment on function iam.set_role_permission(text, text, boolean) is 'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing changes.';

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
$function$;

comment on function iam.set_membership_status(uuid, uuid, iam.membership_status, text) is 'Approves, suspends, reactivates or ends the membership of another person with permission member.manage, or ends the caller''s own. An admin cannot act on an owner, and the last owner cannot leave. A membership that has ended is renewed by invitation only. Returns false if there is no membership.';

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

comment on function iam.revoke_invitation(uuid) is 'Revokes an open invitation. Returns false if there is none, or the caller cannot invite with its role.';
comment on function iam.request_membership(uuid) is 'Joins a public community whose join policy is open, or requests a membership that an admin approves, and returns its status. The new member has no role. Rejected if another person has suspended or ended the membership.';

CREATE OR REPLACE FUNCTION iam.request_membership(tenant uuid)
 RETURNS iam.membership_status
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

comment on function authz.unit_ids() is 'The caller''s units in tenants of which the caller is an active member.';

CREATE OR REPLACE FUNCTION authz.unit_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
  select um.unit_id
  from iam.unit_members as um
  where um.user_id = auth.uid()
    and um.tenant_id = any (array(select authz.tenant_ids()))
$function$;

drop trigger ab_unit on iam.unit_members;
drop trigger ab_unit on iam.units;
comment on function iam.join_by_domain(uuid) is 'Makes the caller a member of a tenant that has verified the domain of the caller''s confirmed address and set auto_join, with the default role of the domain. Rejected if another person has suspended or ended the membership.';

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
$function$;

comment on function iam.invite(uuid, text, text, uuid) is 'Invites an address to a tenant where the caller has permission member.invite, with a role of at most the caller''s rank. Returns the token once, for the mail; only its hash is stored. The invitation ends with the right of the caller.';

CREATE OR REPLACE FUNCTION iam.invite(tenant uuid, email text, role_code text DEFAULT 'member'::text, unit uuid DEFAULT NULL::uuid)
 RETURNS TABLE(invitation_id uuid, token text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

comment on function iam.hand_over_ownership(uuid, uuid) is 'Makes another active member an owner of the tenant in place of the caller, who keeps other roles.';

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
$function$;

comment on function iam.guard_domain_verification() is 'Trigger ab_verification: prevents a tenant from marking its own domain as verified, and limits the default role of a domain to the tier end_user.';

CREATE OR REPLACE FUNCTION iam.guard_domain_verification()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- No person is signed in: service_role, which verifies the token in DNS.
  if auth.uid() is null then
    return new;
  end if;

  if tg_op = 'UPDATE' and new.domain = old.domain then
    new.verified_at := old.verified_at;
    new.verification_token := old.verification_token;
  else
    new.verified_at := null;
    new.verification_token := replace(gen_random_uuid()::text, '-', '');
  end if;

  if new.default_role_id is not null
    and not exists (
      select
      from iam.roles as r
      where r.id = new.default_role_id
        and r.tier = 'end_user'
        and r.is_assignable
        and r.deleted_at is null
    )
  then
    raise exception 'the default role of a domain must be of tier end_user'
      using errcode = 'insufficient_privilege';
  end if;

  return new;
end
$function$;

comment on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamp with time zone, text) is 'Allows or denies a permission in a tenant to another person or to the holders of a role, or changes such an exception, and returns its id. Requires permission role.grant, the rank of the person or role and of its holders, and the permission itself to allow it or to shorten a denial. Without a tenant, super admins deny it everywhere.';

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
$function$;

comment on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) is 'Creates a tenant with the subtype row of its kind and makes the caller its owner. Requires permission tenant.configure in the parent.';

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

comment on function iam.assert_other_owner(uuid, uuid) is 'Raises object_not_in_prerequisite_state if the tenant has no other owner without time limit. Call it after iam.lock_tenant().';

CREATE OR REPLACE FUNCTION iam.assert_other_owner(tenant uuid, person uuid)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION iam.accept_invitation(token text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

comment on function audit.security_events(uuid, uuid, text, audit.risk_level, timestamp with time zone, timestamp with time zone, uuid, integer) is 'The security events, newest first, at most page_size of them, with filters like those of audit.events(). A person reads the events that concern them by passing their own id as person.';

CREATE OR REPLACE FUNCTION audit.security_events(tenant uuid DEFAULT NULL::uuid, person uuid DEFAULT NULL::uuid, event_code text DEFAULT NULL::text, at_least audit.risk_level DEFAULT 'low'::audit.risk_level, since timestamp with time zone DEFAULT '-infinity'::timestamp with time zone, until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, before_id uuid DEFAULT NULL::uuid, page_size integer DEFAULT 50)
 RETURNS TABLE(id uuid, occurred_at timestamp with time zone, event text, user_id uuid, tenant_id uuid, action text, resource text, outcome text, risk_level audit.risk_level, aal text, ip_address inet, user_agent text, session_id uuid, request_id uuid, details jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
declare
  event_id uuid;
begin
  perform authz.assert_session('enrolled');

  if person is distinct from auth.uid() and not audit.may_read(tenant) then
    raise exception 'permission audit.read is required in this tenant'
      using errcode = 'insufficient_privilege',
            hint = 'Pass your own id as person to read the events that concern you.';
  end if;

  if page_size not between 1 and 1000 then
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
    log.aal,
    log.ip_address,
    log.user_agent,
    log.session_id,
    log.request_id,
    log.details
  from audit.security_audit as log
  join audit.event_types as t on t.id = log.event_type_id
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

CREATE OR REPLACE FUNCTION audit.events(tenant uuid DEFAULT NULL::uuid, person uuid DEFAULT NULL::uuid, actor uuid DEFAULT NULL::uuid, changed_table text DEFAULT NULL::text, row_key jsonb DEFAULT NULL::jsonb, since timestamp with time zone DEFAULT '-infinity'::timestamp with time zone, until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, before_id uuid DEFAULT NULL::uuid, page_size integer DEFAULT 50)
 RETURNS SETOF audit.audit_log
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
declare
  wanted_schema constant text := split_part(changed_table, '.', 1);
  wanted_table constant text := split_part(changed_table, '.', 2);
begin
  perform authz.assert_session('enrolled');

  if not audit.may_read(tenant) then
    raise exception 'permission audit.read is required in this tenant'
      using errcode = 'insufficient_privilege';
  end if;

  if page_size not between 1 and 1000 then
    raise exception 'page_size must be between 1 and 1000, not %', page_size
      using errcode = 'invalid_parameter_value';
  end if;

  return query
  select log.*
  from audit.audit_log as log
  where log.occurred_at >= since
    and log.occurred_at <= until
    and (before_id is null or (log.occurred_at, log.id) < (until, before_id))
    and (tenant is null or log.tenant_id = tenant)
    and (person is null or log.subject_user_id = person)
    and (actor is null or log.actor_id = actor)
    and (changed_table is null or log.schema_name = wanted_schema and log.table_name = wanted_table)
    and (row_key is null or log.row_pk @> row_key)
  order by log.occurred_at desc, log.id desc
  limit page_size;
end
$function$;

comment on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid) is 'Inserts one event into audit.security_audit and returns its id. `person` is the account concerned (default: the caller).';

CREATE OR REPLACE FUNCTION audit.log_security(event_code text, action text, resource text DEFAULT NULL::text, outcome text DEFAULT 'success'::text, risk audit.risk_level DEFAULT 'low'::audit.risk_level, tenant uuid DEFAULT NULL::uuid, details jsonb DEFAULT '{}'::jsonb, person uuid DEFAULT NULL::uuid)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  event uuid;
  recorded uuid;
begin
  select event_type.id
  into event
  from audit.event_types as event_type
  where event_type.code = event_code;

  if event is null then
    raise exception 'event type % does not exist', event_code
      using errcode = 'no_data_found',
            hint = 'Add it to audit.event_types; the reference seed contains those that the functions use.';
  end if;

  insert into audit.security_audit (
    occurred_at,
    event_type_id,
    user_id,
    tenant_id,
    action,
    resource,
    outcome,
    risk_level,
    aal,
    ip_address,
    user_agent,
    session_id,
    request_id,
    details
  )
  select
    clock_timestamp(),
    event,
    coalesce(person, caller.user_id),
    tenant,
    left(log_security.action, 100),
    left(log_security.resource, 200),
    log_security.outcome,
    risk,
    caller.aal,
    case when risk >= 'high' then caller.ip_address else audit.network_of(caller.ip_address) end,
    caller.user_agent,
    caller.session_id,
    caller.request_id,
    coalesce(log_security.details, '{}')
  from audit.caller() as caller
  returning id into recorded;

  return recorded;
end
$function$;

CREATE OR REPLACE FUNCTION audit.elevate(scope text, reason text, target_user uuid DEFAULT NULL::uuid, tenant uuid DEFAULT NULL::uuid, ticket text DEFAULT NULL::text, lasting interval DEFAULT '01:00:00'::interval)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  opened uuid;
begin
  perform authz.assert_session('always');

  if not authz.is_super_admin() or not authz.may_on_platform('platform.elevate') then
    raise exception 'only a super admin with permission platform.elevate can open an elevation'
      using errcode = 'insufficient_privilege';
  end if;

  if scope = 'phi_read' and (target_user is null or target_user = auth.uid()) then
    raise exception 'an elevation of scope % requires another person as target_user', scope
      using errcode = 'invalid_parameter_value',
            hint = 'Pass target_user.';
  end if;

  if scope = 'tenant_support'
    and not exists (select from iam.tenants as t where t.id = elevate.tenant and t.deleted_at is null)
  then
    raise exception 'an elevation of scope % requires a tenant', scope
      using errcode = 'invalid_parameter_value',
            hint = 'Pass tenant.';
  end if;

  if lasting not between interval '1 minute' and interval '4 hours' then
    raise exception 'the duration of an elevation must be between one minute and four hours, not %', lasting
      using errcode = 'invalid_parameter_value';
  end if;

  insert into audit.security_contexts (
    user_id, tenant_id, scope, target_user_id, reason, ticket_ref, elevated_by, expires_at
  )
  values (
    auth.uid(), tenant, elevate.scope, target_user, core.safe_text(elevate.reason, 500), ticket, auth.uid(), now() + lasting
  )
  returning id into opened;

  perform audit.log_security(
    'elevation.opened',
    action => 'elevate',
    resource => scope,
    risk => 'critical',
    tenant => tenant,
    details => jsonb_build_object(
      'context', opened,
      'target_user', target_user,
      'ticket', ticket,
      'lasting', lasting
    )
  );

  return opened;
end
$function$;

comment on function core.soft_delete(regclass, uuid) is 'Soft-deletes a row, a folder with its contents, and returns whether it existed. A function is required, because the policies reject an UPDATE after which the caller can no longer read the row.';

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
      update iam.units as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

    when 'media.media' then
      update media.media as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;
  end case;

  return found;
end
$function$;

comment on function core.restore(regclass, uuid) is 'Restores a soft-deleted row, a folder with the contents that were deleted with it, and returns whether it was deleted. Requires the same permission as core.soft_delete(). Only a super admin can restore a tenant.';

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
      update iam.tenants as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'tenant.restored', action => 'restore', resource => 'iam.tenants', risk => 'high', tenant => p_id
      );

      return true;

    when 'iam.units' then
      update iam.units as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

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

drop function iam.has_granting_owner(uuid, uuid);
drop function iam.reject_deleted_unit();
CREATE TRIGGER ab_file BEFORE INSERT OR UPDATE OF media_id ON content.videos FOR EACH ROW EXECUTE FUNCTION media.reject_unseen_file('media_id');
CREATE TRIGGER ab_file BEFORE INSERT OR UPDATE OF thumbnail_media_id ON content.items FOR EACH ROW EXECUTE FUNCTION media.reject_unseen_file('thumbnail_media_id');
CREATE TRIGGER ab_file BEFORE INSERT OR UPDATE OF media_id ON content.documents FOR EACH ROW EXECUTE FUNCTION media.reject_unseen_file('media_id');
CREATE TRIGGER ab_file BEFORE INSERT OR UPDATE OF avatar_media_id ON content.ai_agents FOR EACH ROW EXECUTE FUNCTION media.reject_unseen_file('avatar_media_id');

-- 0027 platform rights and publication
-- from: schema/core/_functions/lock_tree.sql.j2, schema/core/_functions/may_delete.sql.j2, schema/core/_functions/place_in_tree.sql.j2, schema/core/_functions/restore.sql.j2, schema/core/_functions/soft_delete.sql.j2, schema/audit/_functions/log_security.sql.j2, schema/audit/_functions/may_read.sql.j2, schema/audit/_functions/security_events.sql.j2, schema/authz/_functions/aal.sql.j2, schema/authz/_functions/admin_tenant_ids.sql.j2, schema/authz/_functions/governed_with.sql.j2, schema/authz/_functions/held_rank.sql.j2, schema/authz/_functions/is_auditor.sql.j2, schema/authz/_functions/is_super_admin.sql.j2, schema/authz/_functions/led_tenants.sql.j2, schema/authz/_functions/may_on_platform.sql.j2, schema/authz/_functions/person_governed_with.sql.j2, schema/authz/_functions/person_tenants_with.sql.j2, schema/authz/_functions/rank_in.sql.j2, schema/authz/_functions/readable_user_ids.sql.j2, schema/authz/_functions/role_rank.sql.j2, schema/authz/_functions/session_ok.sql.j2, schema/authz/_functions/supported_tenant_ids.sql.j2, schema/authz/_functions/tenant_ids.sql.j2, schema/authz/_functions/tenant_is_open.sql.j2, schema/authz/_functions/tenants_with.sql.j2, schema/authz/_functions/unit_ids.sql.j2, schema/iam/_functions/accept_invitation.sql.j2, schema/iam/_functions/assert_owner_remains.sql.j2, schema/iam/_functions/grant_permission.sql.j2, schema/iam/_functions/grant_role.sql.j2, schema/iam/_functions/guard_domain_verification.sql.j2, schema/iam/_functions/hand_over_ownership.sql.j2, schema/iam/_functions/invite.sql.j2, schema/iam/_functions/lock_platform.sql.j2, schema/iam/_functions/reject_deleted_unit.sql.j2, schema/iam/units.sql.j2, schema/iam/unit_members.sql.j2, schema/iam/_functions/is_denied.sql.j2, schema/iam/_functions/has_granting_owner.sql.j2, schema/iam/_functions/requires_grant.sql.j2, schema/iam/_functions/can_receive.sql.j2, schema/iam/_functions/revoke_role.sql.j2, schema/iam/_functions/set_role_permission.sql.j2, schema/content/_functions/publish_item.sql.j2, schema/content/_functions/reject_deleted_folder.sql.j2, schema/content/folders.sql.j2, schema/content/_functions/require_publisher.sql.j2, schema/content/items.sql.j2, schema/content/ai_agents.sql.j2, schema/content/automations.sql.j2, schema/content/prompts.sql.j2, schema/content/documents.sql.j2, schema/content/videos.sql.j2
-- migrate:up

-- no longer in the templates

drop trigger ab_folder on content.folders;

drop trigger ab_folder on content.items;

drop trigger ab_unit on iam.unit_members;

drop trigger ab_unit on iam.units;

-- schema/core/_functions/lock_tree.sql.j2

create function core.lock_tree(tree regclass)
returns void
language plpgsql
security invoker
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtext('core.lock_tree'), tree::oid::integer);
end
$$;

comment on function core.lock_tree(regclass) is
  'Serializes changes of a tree until the end of the transaction: moves, deletions and restorations. Two of them can leave '
  'a cycle, or a row below a deleted one, although each alone does not.';

revoke all on function core.lock_tree(regclass) from public;

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

comment on function core.may_delete(regclass, uuid) is 'Whether the caller can soft-delete and restore a row; raises insufficient_privilege if the session lacks the level of the table. An owner restores what they deleted themselves, and needs content.publish for an approved or published item. For core.soft_delete() and core.restore().';

-- schema/core/_functions/place_in_tree.sql.j2

create or replace function core.place_in_tree()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  parent uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
  parent_ancestors uuid[];
begin
  if parent is null then
    new.ancestor_ids := '{}';
    new.depth := 0;
    return new;
  end if;

  perform core.lock_tree(tg_relid);

  execute format('select ancestor_ids from %I.%I where id = $1', tg_table_schema, tg_table_name)
  into parent_ancestors
  using parent;

  if new.id = parent or new.id = any (parent_ancestors) then
    raise exception 'a row of %.% cannot be its own ancestor', tg_table_schema, tg_table_name
      using errcode = 'check_violation';
  end if;

  -- If the parent does not exist, the value is null here and the foreign key raises the error.
  new.ancestor_ids := coalesce(parent_ancestors, '{}') || parent;
  new.depth := cardinality(new.ancestor_ids);
  return new;
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
    coalesce(log_security.details, '{}') || jsonb_build_object('caller', caller.user_id)
  from audit.caller() as caller
  returning id into recorded;

  return recorded;
end
$$;

comment on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid) is 'Inserts one event into audit.security_audit and returns its id. `person` is the account concerned (default: the caller). details.caller is the id of the caller, to whom the address, the user agent, the session and the request belong; null if no person is signed in.';

-- schema/audit/_functions/may_read.sql.j2

-- Not executable through the API: called by the functions that read the logs.
create or replace function audit.may_read(tenant uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return authz.is_super_admin()
    or authz.is_auditor()
    or exists (
      select
      from authz.governed_with('audit.read') as governed (id)
      where governed.id = tenant
    );
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

comment on function audit.security_events(uuid, uuid, text, audit.risk_level, timestamp with time zone, timestamp with time zone, uuid, integer) is 'The security events, newest first, at most page_size of them, with filters like those of audit.events(). A person reads the events that concern them by passing their own id as person: with the session, the address and the reason only if they caused the event themselves; those who can read the log see all.';

-- schema/authz/_functions/aal.sql.j2

create or replace function authz.aal()
returns text
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  return coalesce(auth.jwt() ->> 'aal', 'aal1');
end
$$;

-- schema/authz/_functions/admin_tenant_ids.sql.j2

create or replace function authz.admin_tenant_ids()
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
begin
  return query
  with led as materialized (
    select led.id from authz.led_tenants(auth.uid()) as led
  )
  select led.id
  from led
  union
  select t.id
  from iam.tenants as t
  where t.ancestor_ids && array(select led.id from led)
    and t.status in ('trial', 'active') and t.deleted_at is null
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin());
end
$$;

-- schema/authz/_functions/governed_with.sql.j2

create or replace function authz.governed_with(permission text)
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
begin
  return query
  select governed.id
  from authz.person_governed_with(auth.uid(), governed_with.permission) as governed (id)
  where exists (
    select
    from iam.permissions as p
    where p.code = governed_with.permission
      and (not p.requires_mfa or authz.aal() in ('aal2', 'aal3'))
  )
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin())
    and exists (select from iam.permissions as p where p.code = governed_with.permission);
end
$$;

-- schema/authz/_functions/held_rank.sql.j2

create or replace function authz.held_rank(person uuid, tenant uuid)
returns integer
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return (
    select coalesce(max(authz.role_rank(ur.role_id)), 0)
    from iam.user_roles as ur
    where ur.user_id = held_rank.person
      and ur.tenant_id = held_rank.tenant
      and ur.unit_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
  );
end
$$;

-- schema/authz/_functions/is_auditor.sql.j2

create or replace function authz.is_auditor()
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  return exists (
    select
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    where ur.user_id = auth.uid()
      and ur.tenant_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and r.role_type = 'auditor'
      and r.deleted_at is null
  );
end
$$;

-- schema/authz/_functions/is_super_admin.sql.j2

create or replace function authz.is_super_admin()
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  return authz.aal() in ('aal2', 'aal3')
    and exists (
      select
      from iam.user_roles as ur
      join iam.roles as r on r.id = ur.role_id
      where ur.user_id = auth.uid()
        and ur.tenant_id is null
        and ur.revoked_at is null
        and (ur.expires_at is null or ur.expires_at > now())
        and r.tier = 'super_admin'
        and r.deleted_at is null
    );
end
$$;

-- schema/authz/_functions/led_tenants.sql.j2

create or replace function authz.led_tenants(person uuid)
returns table (id uuid, as_owner boolean)
language plpgsql
stable
parallel safe
security definer
rows 2
set search_path = ''
as $$
begin
  return query
  select ur.tenant_id, bool_or(r.role_type = 'owner')
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
  join iam.tenants as t on t.id = ur.tenant_id
  where ur.user_id = led_tenants.person
    and ur.unit_id is null
    and ur.revoked_at is null
    and (ur.expires_at is null or ur.expires_at > now())
    and r.tier = 'community_admin'
    and r.deleted_at is null
    and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    and t.status in ('trial', 'active') and t.deleted_at is null
  group by ur.tenant_id;
end
$$;

-- schema/authz/_functions/may_on_platform.sql.j2

create or replace function authz.may_on_platform(permission text)
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  return (
    with
    wanted as (
      select p.id, p.requires_mfa from iam.permissions as p where p.code = may_on_platform.permission
    ),
    mine as (
      select ur.role_id
      from iam.user_roles as ur
      join iam.roles as r on r.id = ur.role_id
      where ur.user_id = auth.uid()
        and ur.tenant_id is null
        and ur.revoked_at is null
        and (ur.expires_at is null or ur.expires_at > now())
        and r.deleted_at is null
    )
    select exists (
        select
        from wanted
        join iam.role_permissions as rp on rp.permission_id = wanted.id
        join mine on mine.role_id = rp.role_id
        where not wanted.requires_mfa
          or authz.aal() in ('aal2', 'aal3')
      )
      and not exists (
        select
        from iam.permission_grants as g
        where g.permission_id = (select id from wanted)
          and g.effect = 'deny'
          and g.tenant_id is null
          and g.resource_id is null
          and (g.expires_at is null or g.expires_at > now())
          and (g.user_id = auth.uid() or g.role_id in (select role_id from mine))
      )
  );
end
$$;

-- schema/authz/_functions/person_governed_with.sql.j2

create or replace function authz.person_governed_with(person uuid, permission text)
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
begin
  return query
  with
  held as materialized (
    select authz.person_tenants_with(person_governed_with.person, person_governed_with.permission) as id
  ),
  led as materialized (
    select led.id
    from authz.led_tenants(person_governed_with.person) as led
    join held on held.id = led.id
  )
  select held.id
  from held
  union
  select t.id
  from iam.tenants as t
  where t.ancestor_ids && array(select led.id from led)
    and t.status in ('trial', 'active') and t.deleted_at is null
    -- Denied in the tenant below, to the person or to a role held above.
    and not exists (
      select
      from iam.permission_grants as g
      join iam.permissions as p on p.id = g.permission_id
      where p.code = person_governed_with.permission
        and g.effect = 'deny'
        and g.tenant_id = t.id
        and g.unit_id is null
        and g.resource_id is null
        and (g.expires_at is null or g.expires_at > now())
        and (
          g.user_id = person_governed_with.person
          or g.role_id in (
            select ur.role_id
            from iam.user_roles as ur
            where ur.user_id = person_governed_with.person
              and ur.tenant_id = any (t.ancestor_ids)
              and ur.unit_id is null
              and ur.revoked_at is null
          )
        )
    );
end
$$;

-- schema/authz/_functions/person_tenants_with.sql.j2

create or replace function authz.person_tenants_with(person uuid, permission text)
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
begin
  return query
  with
  wanted as (
    select p.id from iam.permissions as p where p.code = person_tenants_with.permission
  ),
  -- The person's tenants and roles. A role limited to a unit has no effect on the rest of the tenant.
  held as (
    select m.tenant_id, ur.role_id
    from iam.memberships as m
    join iam.tenants as t on t.id = m.tenant_id and t.status in ('trial', 'active') and t.deleted_at is null
    left join iam.user_roles as ur
      on ur.user_id = m.user_id
      and ur.tenant_id = m.tenant_id
      and ur.unit_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and exists (select from iam.roles as r where r.id = ur.role_id and r.deleted_at is null)
    where m.user_id = person_tenants_with.person
      and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
  ),
  exceptions as (
    select held.tenant_id, g.effect
    from held
    join iam.permission_grants as g
      on (g.user_id = person_tenants_with.person or g.role_id = held.role_id)
      and (g.tenant_id is null or g.tenant_id = held.tenant_id)
    where g.permission_id = (select id from wanted)
      and g.unit_id is null
      and g.resource_id is null
      and (g.expires_at is null or g.expires_at > now())
  )
  (
    select held.tenant_id
    from held
    join iam.role_permissions as rp on rp.role_id = held.role_id
    where rp.permission_id = (select id from wanted)
    union
    select tenant_id from exceptions where effect = 'allow'
  )
  except
  select tenant_id from exceptions where effect = 'deny';
end
$$;

-- schema/authz/_functions/rank_in.sql.j2

create or replace function authz.rank_in(person uuid, tenant uuid)
returns integer
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return (
    select greatest(
      (
        select max(case when led.as_owner then 2 else 1 end)
        from authz.led_tenants(rank_in.person) as led
        join iam.tenants as t on t.id = rank_in.tenant and (led.id = t.id or led.id = any (t.ancestor_ids))
      ),
      (
        select 2
        from authz.supported_tenant_ids(rank_in.person) as supported (id)
        where supported.id = rank_in.tenant
      ),
      0
    )
  );
end
$$;

-- schema/authz/_functions/readable_user_ids.sql.j2

create or replace function authz.readable_user_ids(scope text)
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 3
set search_path = ''
as $$
begin
  return query
  select auth.uid()
  where auth.uid() is not null
  union
  -- The clients of a coach follow with iam.coach_links, one scope at a time.
  select c.target_user_id
  from audit.security_contexts as c
  where (select authz.is_super_admin())
    and c.user_id = auth.uid()
    and c.scope = 'phi_read'
    and c.target_user_id is not null
    and c.revoked_at is null
    and c.started_at <= now()
    and c.expires_at > now();
end
$$;

-- schema/authz/_functions/role_rank.sql.j2

create or replace function authz.role_rank(role uuid)
returns integer
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return (
    select case
      when r.tier = 'super_admin' then 3
      when r.role_type = 'owner' then 2
      when r.tier = 'community_admin' then 1
      else 0
    end
    from iam.roles as r
    where r.id = role_rank.role
  );
end
$$;

-- schema/authz/_functions/session_ok.sql.j2

create or replace function authz.session_ok(level text)
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  return exists (
    select
    from iam.profiles as p
    where p.id = auth.uid()
      and p.status = 'active'
  )
    and authz.account_is_open(auth.uid())
    and case
      when session_ok.level = 'none' then true
      when authz.aal() in ('aal2', 'aal3') then true
      when session_ok.level is distinct from 'enrolled' then false
      when authz.may_have_factor() then false
      else
        not exists (
          select
          from iam.profiles as p
          where p.id = auth.uid()
            and p.mfa_required
        )
        and not exists (
          select
          from iam.user_roles as ur
          join iam.roles as r on r.id = ur.role_id
          where ur.user_id = auth.uid()
            and ur.revoked_at is null
            and (ur.expires_at is null or ur.expires_at > now())
            and (
              r.tier in ('super_admin', 'community_admin')
              or r.role_type in ('coach', 'trainer', 'physiotherapist', 'auditor')
            )
        )
        and not exists (
          select
          from iam.memberships as m
          join iam.tenants as t on t.id = m.tenant_id
          where m.user_id = auth.uid()
            and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
            and t.require_mfa
        )
    end;
end
$$;

-- schema/authz/_functions/supported_tenant_ids.sql.j2

create or replace function authz.supported_tenant_ids(person uuid)
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 1
set search_path = ''
as $$
begin
  return query
  select c.tenant_id
  from audit.security_contexts as c
  join iam.tenants as t on t.id = c.tenant_id
  where c.user_id = supported_tenant_ids.person
    and c.scope = 'tenant_support'
    and c.revoked_at is null
    and c.started_at <= now()
    and c.expires_at > now()
    and t.deleted_at is null
    and exists (
      select
      from iam.user_roles as ur
      join iam.roles as r on r.id = ur.role_id
      where ur.user_id = c.user_id
        and ur.tenant_id is null
        and ur.revoked_at is null
        and (ur.expires_at is null or ur.expires_at > now())
        and r.tier = 'super_admin'
        and r.deleted_at is null
    );
end
$$;

-- schema/authz/_functions/tenant_ids.sql.j2

create or replace function authz.tenant_ids()
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
begin
  return query
  select m.tenant_id
  from iam.memberships as m
  join iam.tenants as t on t.id = m.tenant_id
  where m.user_id = auth.uid()
    and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    and t.status in ('trial', 'active') and t.deleted_at is null;
end
$$;

-- schema/authz/_functions/tenant_is_open.sql.j2

-- The cost of a call per row makes the planner use parallel workers for 50 items: 18.7 ms instead of 0.9.
create or replace function authz.tenant_is_open(tenant_id uuid)
returns boolean
language plpgsql
stable
parallel safe
security definer
cost 1
set search_path = ''
as $$
begin
  return exists (
    select
    from iam.tenants as t
    where t.id = tenant_is_open.tenant_id
      and t.status in ('trial', 'active')
      and t.deleted_at is null
  );
end
$$;

-- schema/authz/_functions/tenants_with.sql.j2

create or replace function authz.tenants_with(permission text)
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
begin
  return query
  select held.id
  from authz.person_tenants_with(auth.uid(), tenants_with.permission) as held (id)
  where exists (
    select
    from iam.permissions as p
    where p.code = tenants_with.permission
      and (not p.requires_mfa or authz.aal() in ('aal2', 'aal3'))
  )
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin())
    and exists (select from iam.permissions as p where p.code = tenants_with.permission);
end
$$;

-- schema/authz/_functions/unit_ids.sql.j2

create or replace function authz.unit_ids()
returns setof uuid
language plpgsql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
begin
  return query
  select um.unit_id
  from iam.unit_members as um
  join iam.units as u on u.id = um.unit_id
  where um.user_id = auth.uid()
    and um.tenant_id = any (array(select authz.tenant_ids()))
    and u.deleted_at is null;
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
$$;

-- schema/iam/_functions/assert_owner_remains.sql.j2

create function iam.assert_owner_remains(tenant uuid, had_owner boolean)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if had_owner and not iam.has_granting_owner(tenant) then
    raise exception 'the tenant would have no owner who can grant roles'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;

comment on function iam.assert_owner_remains(uuid, boolean) is
  'Raises object_not_in_prerequisite_state if the tenant had an owner by iam.has_granting_owner() before the change and has '
  'none after it. Call it after iam.lock_tenant().';

revoke all on function iam.assert_owner_remains(uuid, boolean) from public;

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
$$;

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

  -- People receive the role by joining.
  if new.auto_join then
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

    -- What the domain gives would outlast an elevation.
    if iam.requires_grant(new.default_role_id)
      and new.tenant_id not in (select authz.person_governed_with(auth.uid(), 'role.grant'))
    then
      raise exception 'permission role.grant is required in this tenant without an elevation'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  return new;
end
$$;

comment on function iam.guard_domain_verification() is 'Trigger ab_verification: prevents a tenant from marking its own domain as verified. The default role that people receive by joining is one of tier end_user, and requires permission role.grant by iam.requires_grant(), not by an elevation.';

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
$$;

comment on function iam.hand_over_ownership(uuid, uuid) is 'Makes another active member an owner of the tenant in place of the caller, who keeps other roles. Rejected while a permission is denied in the tenant to the person or to a role of theirs.';

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

  if iam.requires_grant(wanted_id) then
    perform authz.assert_permission('role.grant', tenant);
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

comment on function iam.invite(uuid, text, text, uuid) is 'Invites an address to a tenant where the caller has permission member.invite, with a role of at most the caller''s rank and the permission that iam.requires_grant() names. Returns the token once, for the mail; only its hash is stored. The invitation ends with the right of the caller.';

-- schema/iam/_functions/lock_platform.sql.j2

create function iam.lock_platform()
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform
  from iam.permissions as p
  where p.code = 'platform.grant'
  for no key update;
end
$$;

comment on function iam.lock_platform() is
  'Locks the platform until the transaction ends. Functions that change its roles and permissions lock it before they test '
  'permission platform.grant, so that of two super admins who take it from each other one keeps it.';

revoke all on function iam.lock_platform() from public;

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
$$;

comment on function iam.reject_deleted_unit() is 'Trigger ba_unit, after the policies: rejects a reference to a deleted unit. Its argument is the referencing column.';

-- schema/iam/units.sql.j2

create trigger ba_unit
  after insert or update of parent_id on iam.units
  for each row execute function iam.reject_deleted_unit('parent_id');

-- schema/iam/unit_members.sql.j2

create trigger ba_unit
  after insert or update of unit_id on iam.unit_members
  for each row execute function iam.reject_deleted_unit('unit_id');

-- schema/iam/_functions/is_denied.sql.j2

create function iam.is_denied(person uuid, tenant uuid, permission_code text default null)
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
$$;

comment on function iam.is_denied(uuid, uuid, text) is
  'Whether a permission, or any (null), is denied to a person in a tenant as a whole, also a suspended one: to the person or '
  'to a role that they hold in it, there or in every tenant.';

revoke all on function iam.is_denied(uuid, uuid, text) from public;

-- schema/iam/_functions/has_granting_owner.sql.j2

create or replace function iam.has_granting_owner(tenant uuid, except_for uuid default null)
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
      and not iam.is_denied(ur.user_id, ur.tenant_id, 'role.grant')
  )
$$;

comment on function iam.has_granting_owner(uuid, uuid) is 'Whether a tenant, also a suspended one, has an owner without time limit who is not denied to grant roles, other than a person. Functions that can end this call it, so that every tenant keeps a person who can grant roles.';

-- schema/iam/_functions/requires_grant.sql.j2

create function iam.requires_grant(role uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select r.code <> 'member'
  from iam.roles as r
  where r.id = requires_grant.role
$$;

comment on function iam.requires_grant(uuid) is
  'Whether an invitation or a domain gives a role only with permission role.grant: each except member.';

revoke all on function iam.requires_grant(uuid) from public;

-- schema/iam/_functions/can_receive.sql.j2

create function iam.can_receive(role uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
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
$$;

comment on function iam.can_receive(uuid) is
  'Whether the caller holds a role in a tenant or can receive it without another person: member, the default role of a '
  'domain, and the role of an invitation to the caller that is neither accepted nor revoked.';

revoke all on function iam.can_receive(uuid) from public;

-- schema/iam/_functions/revoke_role.sql.j2

create or replace function iam.revoke_role(user_role uuid, reason text default null)
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
$$;

comment on function iam.set_role_permission(text, text, boolean) is 'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing changes. Rejected if the caller would gain the permission in a tenant, see iam.can_receive(), or lose platform.grant, or if owners would lose role.grant.';

-- schema/content/_functions/publish_item.sql.j2

create or replace function content.publish_item()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
declare
  was_published boolean := tg_op = 'UPDATE' and old.status = 'published';
  is_published boolean := new.status = 'published';
begin
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

comment on function content.publish_item() is 'Trigger ae_publish: sets version and the columns that record when and by which person an item was published.';

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
$$;

comment on function content.reject_deleted_folder() is 'Trigger ba_folder, after the policies: rejects a reference to a deleted folder. Its argument is the referencing column.';

-- schema/content/folders.sql.j2

create trigger ba_folder
  after insert or update of parent_id on content.folders
  for each row execute function content.reject_deleted_folder('parent_id');

-- schema/content/_functions/require_publisher.sql.j2

create function content.require_publisher()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
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
$$;

comment on function content.require_publisher() is
  'Trigger ad_publisher: requires content.publish to approve an item, to publish it, to withdraw it, and for every change of '
  'an approved or published item and of its typed part.';

revoke all on function content.require_publisher() from public;

-- schema/content/items.sql.j2

create trigger ba_folder
  after insert or update of folder_id on content.items
  for each row execute function content.reject_deleted_folder('folder_id');

create trigger ad_publisher
  before insert or update or delete on content.items
  for each row when (pg_trigger_depth() = 0)
  execute function content.require_publisher();

drop trigger ae_publish on content.items;

create trigger ae_publish
  before insert or update of status, version, published_at, published_by, archived_at on content.items
  for each row execute function content.publish_item();

-- schema/content/ai_agents.sql.j2

create trigger ad_publisher
  before insert or update or delete on content.ai_agents
  for each row when (pg_trigger_depth() = 0)
  execute function content.require_publisher();

-- schema/content/automations.sql.j2

create trigger ad_publisher
  before insert or update or delete on content.automations
  for each row when (pg_trigger_depth() = 0)
  execute function content.require_publisher();

-- schema/content/prompts.sql.j2

create trigger ad_publisher
  before insert or update or delete on content.prompts
  for each row when (pg_trigger_depth() = 0)
  execute function content.require_publisher();

-- schema/content/documents.sql.j2

create trigger ad_publisher
  before insert or update or delete on content.documents
  for each row when (pg_trigger_depth() = 0)
  execute function content.require_publisher();

-- schema/content/videos.sql.j2

create trigger ad_publisher
  before insert or update or delete on content.videos
  for each row when (pg_trigger_depth() = 0)
  execute function content.require_publisher();

-- migrate:down

drop trigger ad_publisher on content.videos;
drop trigger ad_publisher on content.documents;
drop trigger ad_publisher on content.prompts;
drop trigger ad_publisher on content.automations;
drop trigger ad_publisher on content.ai_agents;
drop trigger ae_publish on content.items;
CREATE TRIGGER ae_publish BEFORE INSERT OR UPDATE OF status, visibility, version, published_at, published_by, archived_at ON content.items FOR EACH ROW EXECUTE FUNCTION content.publish_item();
drop trigger ad_publisher on content.items;
drop trigger ba_folder on content.items;
drop trigger ba_folder on content.folders;
comment on function content.reject_deleted_folder() is 'Trigger ab_folder: rejects a reference to a deleted folder. Its argument is the referencing column.';

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
    return new;
  end if;

  -- The lock waits for a concurrent deletion of the folder, which deletes the contents that it sees.
  perform from content.folders as f
  where f.id = wanted
    and f.deleted_at is null
  for share;

  if not found then
    raise exception 'the folder does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$function$;

comment on function content.publish_item() is 'Trigger ae_publish: requires content.publish to approve an item, to publish it, to withdraw it, and to change the visibility of a published one; sets version and the columns that record when and by which person.';

CREATE OR REPLACE FUNCTION content.publish_item()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

comment on function iam.set_role_permission(text, text, boolean) is 'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing changes. Rejected if the caller holds the role in a tenant and would gain the permission, or would lose platform.grant.';

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
$function$;

comment on function iam.has_granting_owner(uuid, uuid) is 'Whether a tenant has an owner without time limit who can grant roles, other than a person. Functions that can end this call it, so that every tenant keeps a person who can grant roles.';

CREATE OR REPLACE FUNCTION iam.has_granting_owner(tenant uuid, except_for uuid DEFAULT NULL::uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

drop trigger ba_unit on iam.unit_members;
drop trigger ba_unit on iam.units;
comment on function iam.reject_deleted_unit() is 'Trigger ab_unit: rejects a reference to a deleted unit. Its argument is the referencing column.';

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
$function$;

comment on function iam.invite(uuid, text, text, uuid) is 'Invites an address to a tenant where the caller has permission member.invite, as member or, with permission role.grant, with a role of at most the caller''s rank. Returns the token once, for the mail; only its hash is stored. The invitation ends with the right of the caller.';

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
$function$;

comment on function iam.hand_over_ownership(uuid, uuid) is 'Makes another active member an owner of the tenant in place of the caller, who keeps other roles. Denials to the person in the tenant end; rejected while a permission is denied to another role of the person.';

CREATE OR REPLACE FUNCTION iam.hand_over_ownership(tenant uuid, person uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$;

comment on function iam.guard_domain_verification() is 'Trigger ab_verification: prevents a tenant from marking its own domain as verified, and limits the default role of a domain to the tier end_user. A default role other than member requires permission role.grant.';

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

  -- People receive the role by joining, so naming another than that of members requires what granting it requires.
  if new.default_role_id not in (select r.id from iam.roles as r where r.code = 'member') then
    perform authz.assert_permission('role.grant', new.tenant_id);
  end if;

  return new;
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
$function$;

CREATE OR REPLACE FUNCTION authz.unit_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
  select um.unit_id
  from iam.unit_members as um
  join iam.units as u on u.id = um.unit_id
  where um.user_id = auth.uid()
    and um.tenant_id = any (array(select authz.tenant_ids()))
    and u.deleted_at is null
$function$;

CREATE OR REPLACE FUNCTION authz.tenants_with(permission text)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
  select held.id
  from authz.person_tenants_with(auth.uid(), tenants_with.permission) as held (id)
  where exists (
    select
    from iam.permissions as p
    where p.code = tenants_with.permission
      and (not p.requires_mfa or authz.aal() in ('aal2', 'aal3'))
  )
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin())
    and exists (select from iam.permissions as p where p.code = tenants_with.permission)
$function$;

CREATE OR REPLACE FUNCTION authz.tenant_is_open(tenant_id uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER COST 1
 SET search_path TO ''
AS $function$
  select exists (
    select
    from iam.tenants as t
    where t.id = tenant_is_open.tenant_id
      and t.status in ('trial', 'active')
      and t.deleted_at is null
  )
$function$;

CREATE OR REPLACE FUNCTION authz.tenant_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
  select m.tenant_id
  from iam.memberships as m
  join iam.tenants as t on t.id = m.tenant_id
  where m.user_id = auth.uid()
    and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    and t.status in ('trial', 'active') and t.deleted_at is null
$function$;

CREATE OR REPLACE FUNCTION authz.supported_tenant_ids(person uuid)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1
 SET search_path TO ''
AS $function$
  select c.tenant_id
  from audit.security_contexts as c
  join iam.tenants as t on t.id = c.tenant_id
  where c.user_id = supported_tenant_ids.person
    and c.scope = 'tenant_support'
    and c.revoked_at is null
    and c.started_at <= now()
    and c.expires_at > now()
    and t.deleted_at is null
    and exists (
      select
      from iam.user_roles as ur
      join iam.roles as r on r.id = ur.role_id
      where ur.user_id = c.user_id
        and ur.tenant_id is null
        and ur.revoked_at is null
        and (ur.expires_at is null or ur.expires_at > now())
        and r.tier = 'super_admin'
        and r.deleted_at is null
    )
$function$;

CREATE OR REPLACE FUNCTION authz.session_ok(level text)
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select exists (
      select
      from iam.profiles as p
      where p.id = auth.uid()
        and p.status = 'active'
    )
    and authz.account_is_open(auth.uid())
    and case
      when session_ok.level = 'none' then true
      when authz.aal() in ('aal2', 'aal3') then true
      when session_ok.level is distinct from 'enrolled' then false
      when authz.may_have_factor() then false
      else
        not exists (
          select
          from iam.profiles as p
          where p.id = auth.uid()
            and p.mfa_required
        )
        and not exists (
          select
          from iam.user_roles as ur
          join iam.roles as r on r.id = ur.role_id
          where ur.user_id = auth.uid()
            and ur.revoked_at is null
            and (ur.expires_at is null or ur.expires_at > now())
            and (
              r.tier in ('super_admin', 'community_admin')
              or r.role_type in ('coach', 'trainer', 'physiotherapist', 'auditor')
            )
        )
        and not exists (
          select
          from iam.memberships as m
          join iam.tenants as t on t.id = m.tenant_id
          where m.user_id = auth.uid()
            and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
            and t.require_mfa
        )
    end
$function$;

CREATE OR REPLACE FUNCTION authz.role_rank(role uuid)
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select case
    when r.tier = 'super_admin' then 3
    when r.role_type = 'owner' then 2
    when r.tier = 'community_admin' then 1
    else 0
  end
  from iam.roles as r
  where r.id = role_rank.role
$function$;

CREATE OR REPLACE FUNCTION authz.readable_user_ids(scope text)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 3
 SET search_path TO ''
AS $function$
  select auth.uid()
  where auth.uid() is not null
  union
  -- The clients of a coach follow with iam.coach_links, one scope at a time.
  select c.target_user_id
  from audit.security_contexts as c
  where (select authz.is_super_admin())
    and c.user_id = auth.uid()
    and c.scope = 'phi_read'
    and c.target_user_id is not null
    and c.revoked_at is null
    and c.started_at <= now()
    and c.expires_at > now()
$function$;

CREATE OR REPLACE FUNCTION authz.rank_in(person uuid, tenant uuid)
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select greatest(
    (
      select max(case when led.as_owner then 2 else 1 end)
      from authz.led_tenants(rank_in.person) as led
      join iam.tenants as t on t.id = rank_in.tenant and (led.id = t.id or led.id = any (t.ancestor_ids))
    ),
    (
      select 2
      from authz.supported_tenant_ids(rank_in.person) as supported (id)
      where supported.id = rank_in.tenant
    ),
    0
  )
$function$;

CREATE OR REPLACE FUNCTION authz.person_tenants_with(person uuid, permission text)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
  with
  wanted as (
    select p.id from iam.permissions as p where p.code = person_tenants_with.permission
  ),
  -- The person's tenants and roles. A role limited to a unit has no effect on the rest of the tenant.
  held as (
    select m.tenant_id, ur.role_id
    from iam.memberships as m
    join iam.tenants as t on t.id = m.tenant_id and t.status in ('trial', 'active') and t.deleted_at is null
    left join iam.user_roles as ur
      on ur.user_id = m.user_id
      and ur.tenant_id = m.tenant_id
      and ur.unit_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and exists (select from iam.roles as r where r.id = ur.role_id and r.deleted_at is null)
    where m.user_id = person_tenants_with.person
      and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
  ),
  exceptions as (
    select held.tenant_id, g.effect
    from held
    join iam.permission_grants as g
      on (g.user_id = person_tenants_with.person or g.role_id = held.role_id)
      and (g.tenant_id is null or g.tenant_id = held.tenant_id)
    where g.permission_id = (select id from wanted)
      and g.unit_id is null
      and g.resource_id is null
      and (g.expires_at is null or g.expires_at > now())
  )
  (
    select held.tenant_id
    from held
    join iam.role_permissions as rp on rp.role_id = held.role_id
    where rp.permission_id = (select id from wanted)
    union
    select tenant_id from exceptions where effect = 'allow'
  )
  except
  select tenant_id from exceptions where effect = 'deny'
$function$;

CREATE OR REPLACE FUNCTION authz.person_governed_with(person uuid, permission text)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
  with
  held as materialized (
    select authz.person_tenants_with(person_governed_with.person, person_governed_with.permission) as id
  ),
  led as materialized (
    select led.id
    from authz.led_tenants(person_governed_with.person) as led
    join held on held.id = led.id
  )
  select held.id
  from held
  union
  select t.id
  from iam.tenants as t
  where t.ancestor_ids && array(select led.id from led)
    and t.status in ('trial', 'active') and t.deleted_at is null
    -- Denied in the tenant below, to the person or to a role held above.
    and not exists (
      select
      from iam.permission_grants as g
      join iam.permissions as p on p.id = g.permission_id
      where p.code = person_governed_with.permission
        and g.effect = 'deny'
        and g.tenant_id = t.id
        and g.unit_id is null
        and g.resource_id is null
        and (g.expires_at is null or g.expires_at > now())
        and (
          g.user_id = person_governed_with.person
          or g.role_id in (
            select ur.role_id
            from iam.user_roles as ur
            where ur.user_id = person_governed_with.person
              and ur.tenant_id = any (t.ancestor_ids)
              and ur.unit_id is null
              and ur.revoked_at is null
          )
        )
    )
$function$;

CREATE OR REPLACE FUNCTION authz.may_on_platform(permission text)
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with
  wanted as (
    select p.id, p.requires_mfa from iam.permissions as p where p.code = may_on_platform.permission
  ),
  mine as (
    select ur.role_id
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    where ur.user_id = auth.uid()
      and ur.tenant_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and r.deleted_at is null
  )
  select exists (
      select
      from wanted
      join iam.role_permissions as rp on rp.permission_id = wanted.id
      join mine on mine.role_id = rp.role_id
      where not wanted.requires_mfa
        or authz.aal() in ('aal2', 'aal3')
    )
    and not exists (
      select
      from iam.permission_grants as g
      where g.permission_id = (select id from wanted)
        and g.effect = 'deny'
        and g.tenant_id is null
        and g.resource_id is null
        and (g.expires_at is null or g.expires_at > now())
        and (g.user_id = auth.uid() or g.role_id in (select role_id from mine))
    )
$function$;

CREATE OR REPLACE FUNCTION authz.led_tenants(person uuid)
 RETURNS TABLE(id uuid, as_owner boolean)
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 2
 SET search_path TO ''
AS $function$
  select ur.tenant_id, bool_or(r.role_type = 'owner')
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
  join iam.tenants as t on t.id = ur.tenant_id
  where ur.user_id = led_tenants.person
    and ur.unit_id is null
    and ur.revoked_at is null
    and (ur.expires_at is null or ur.expires_at > now())
    and r.tier = 'community_admin'
    and r.deleted_at is null
    and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    and t.status in ('trial', 'active') and t.deleted_at is null
  group by ur.tenant_id
$function$;

CREATE OR REPLACE FUNCTION authz.is_super_admin()
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select authz.aal() in ('aal2', 'aal3')
    and exists (
      select
      from iam.user_roles as ur
      join iam.roles as r on r.id = ur.role_id
      where ur.user_id = auth.uid()
        and ur.tenant_id is null
        and ur.revoked_at is null
        and (ur.expires_at is null or ur.expires_at > now())
        and r.tier = 'super_admin'
        and r.deleted_at is null
    )
$function$;

CREATE OR REPLACE FUNCTION authz.is_auditor()
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select exists (
    select
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    where ur.user_id = auth.uid()
      and ur.tenant_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and r.role_type = 'auditor'
      and r.deleted_at is null
  )
$function$;

CREATE OR REPLACE FUNCTION authz.held_rank(person uuid, tenant uuid)
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select coalesce(max(authz.role_rank(ur.role_id)), 0)
  from iam.user_roles as ur
  where ur.user_id = held_rank.person
    and ur.tenant_id = held_rank.tenant
    and ur.unit_id is null
    and ur.revoked_at is null
    and (ur.expires_at is null or ur.expires_at > now())
$function$;

CREATE OR REPLACE FUNCTION authz.governed_with(permission text)
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
  select governed.id
  from authz.person_governed_with(auth.uid(), governed_with.permission) as governed (id)
  where exists (
    select
    from iam.permissions as p
    where p.code = governed_with.permission
      and (not p.requires_mfa or authz.aal() in ('aal2', 'aal3'))
  )
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin())
    and exists (select from iam.permissions as p where p.code = governed_with.permission)
$function$;

CREATE OR REPLACE FUNCTION authz.admin_tenant_ids()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER ROWS 5
 SET search_path TO ''
AS $function$
  with led as materialized (
    select led.id from authz.led_tenants(auth.uid()) as led
  )
  select led.id
  from led
  union
  select t.id
  from iam.tenants as t
  where t.ancestor_ids && array(select led.id from led)
    and t.status in ('trial', 'active') and t.deleted_at is null
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin())
$function$;

CREATE OR REPLACE FUNCTION authz.aal()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select coalesce(auth.jwt() ->> 'aal', 'aal1')
$function$;

comment on function audit.security_events(uuid, uuid, text, audit.risk_level, timestamp with time zone, timestamp with time zone, uuid, integer) is 'The security events, newest first, at most page_size of them, with filters like those of audit.events(). A person reads the events that concern them by passing their own id as person: without the session, the address and the reason of another person who caused the event, which only those who can read the log see.';

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
$function$;

CREATE OR REPLACE FUNCTION audit.may_read(tenant uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select authz.is_super_admin()
    or authz.is_auditor()
    or exists (
      select
      from authz.governed_with('audit.read') as governed (id)
      where governed.id = tenant
    )
$function$;

comment on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid) is 'Inserts one event into audit.security_audit and returns its id. `person` is the account concerned (default: the caller). If it is not the caller, details.caller is the id of the caller, to whom the address, the user agent, the session and the request belong.';

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
    coalesce(log_security.details, '{}') || case
      when coalesce(person, caller.user_id) is distinct from caller.user_id then
        jsonb_build_object('caller', caller.user_id)
      else '{}'
    end
  from audit.caller() as caller
  returning id into recorded;

  return recorded;
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
$function$;

CREATE OR REPLACE FUNCTION core.place_in_tree()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  parent uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
  parent_ancestors uuid[];
begin
  if parent is null then
    new.ancestor_ids := '{}';
    new.depth := 0;
    return new;
  end if;

  -- Serializes changes of parents: two concurrent changes can form a cycle although each alone does not.
  perform pg_advisory_xact_lock(hashtext('core.place_in_tree'), tg_relid::integer);

  execute format('select ancestor_ids from %I.%I where id = $1', tg_table_schema, tg_table_name)
  into parent_ancestors
  using parent;

  if new.id = parent or new.id = any (parent_ancestors) then
    raise exception 'a row of %.% cannot be its own ancestor', tg_table_schema, tg_table_name
      using errcode = 'check_violation';
  end if;

  -- If the parent does not exist, the value is null here and the foreign key raises the error.
  new.ancestor_ids := coalesce(parent_ancestors, '{}') || parent;
  new.depth := cardinality(new.ancestor_ids);
  return new;
end
$function$;

comment on function core.may_delete(regclass, uuid) is 'Whether the caller can soft-delete and restore a row; raises insufficient_privilege if the session lacks the level of the table. An owner restores what they deleted themselves. For core.soft_delete() and core.restore().';

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

drop function content.require_publisher();
drop function iam.can_receive(uuid);
drop function iam.requires_grant(uuid);
drop function iam.is_denied(uuid, uuid, text);
drop function iam.lock_platform();
drop function iam.assert_owner_remains(uuid, boolean);
drop function core.lock_tree(regclass);
CREATE TRIGGER ab_unit BEFORE INSERT OR UPDATE OF parent_id ON iam.units FOR EACH ROW EXECUTE FUNCTION iam.reject_deleted_unit('parent_id');
CREATE TRIGGER ab_unit BEFORE INSERT OR UPDATE OF unit_id ON iam.unit_members FOR EACH ROW EXECUTE FUNCTION iam.reject_deleted_unit('unit_id');
CREATE TRIGGER ab_folder BEFORE INSERT OR UPDATE OF folder_id ON content.items FOR EACH ROW EXECUTE FUNCTION content.reject_deleted_folder('folder_id');
CREATE TRIGGER ab_folder BEFORE INSERT OR UPDATE OF parent_id ON content.folders FOR EACH ROW EXECUTE FUNCTION content.reject_deleted_folder('parent_id');

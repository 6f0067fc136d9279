-- 0015 authz helpers
-- from: schema/authz/_functions/aal.sql.j2, schema/authz/_functions/assert_permission.sql.j2, schema/authz/_functions/assert_session.sql.j2, schema/authz/_functions/may_have_factor.sql.j2, schema/authz/_functions/tenant_ids.sql.j2, schema/authz/_functions/comember_ids.sql.j2, schema/authz/_functions/unit_ids.sql.j2, schema/authz/_functions/is_auditor.sql.j2, schema/authz/_functions/is_super_admin.sql.j2, schema/authz/_functions/admin_tenant_ids.sql.j2, schema/authz/_functions/elevated.sql.j2, schema/authz/_functions/logs_closed_until.sql.j2, schema/authz/_functions/may_grant.sql.j2, schema/authz/_functions/profile_visibilities.sql.j2, schema/authz/_functions/readable_user_ids.sql.j2, schema/authz/_functions/reviewable_tenant_ids.sql.j2, schema/authz/_functions/session_ok.sql.j2, schema/authz/_functions/tenants_with.sql.j2
-- migrate:up

-- schema/authz/_functions/aal.sql.j2

create function authz.aal()
returns text
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select coalesce(auth.jwt() ->> 'aal', 'aal1')
$$;

comment on function authz.aal() is
  'Authenticator assurance level of the session: aal1 with one factor, aal2 or aal3 with a second factor.';

alter function authz.aal() owner to aigym_authz;

revoke all on function authz.aal() from public;

grant execute on function authz.aal() to authenticated, service_role;

-- schema/authz/_functions/assert_permission.sql.j2

create function authz.assert_permission(code text, tenant_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if assert_permission.tenant_id is null
    or not (assert_permission.tenant_id = any (array(select authz.tenants_with(assert_permission.code))))
  then
    raise exception 'permission % is required in this tenant', assert_permission.code
      using errcode = 'insufficient_privilege';
  end if;

  if authz.aal() not in ('aal2', 'aal3')
    and exists (
      select
      from iam.permissions as p
      where p.code = assert_permission.code
        and p.requires_mfa
    )
  then
    raise exception 'permission % requires a second factor', assert_permission.code
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

comment on function authz.assert_permission(text, uuid) is
  'Raises insufficient_privilege if the caller lacks the permission in the tenant, or the second factor that '
  'the permission requires.';

alter function authz.assert_permission(text, uuid) owner to aigym_authz;

revoke all on function authz.assert_permission(text, uuid) from public;

grant execute on function authz.assert_permission(text, uuid) to authenticated, service_role;

-- schema/authz/_functions/assert_session.sql.j2

create function authz.assert_session(level text)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if authz.session_ok(level) is not true then
    raise exception 'permission denied for this session'
      using errcode = 'insufficient_privilege',
            hint = 'Sign in with an active account, and with a second factor if one is required.';
  end if;
end
$$;

comment on function authz.assert_session(text) is
  'Raises insufficient_privilege if authz.session_ok() is false. For functions that write as their owner and '
  'thereby bypass the policies.';

alter function authz.assert_session(text) owner to aigym_authz;

revoke all on function authz.assert_session(text) from public;

grant execute on function authz.assert_session(text) to authenticated, service_role;

-- schema/authz/_functions/may_have_factor.sql.j2

create function authz.may_have_factor()
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  -- If the factors cannot be read, the query would return none and admit every session. Therefore return true.
  if not has_schema_privilege('auth', 'usage')
    or not has_table_privilege('auth.mfa_factors', 'select')
    or row_security_active('auth.mfa_factors')
  then
    return true;
  end if;

  return exists (
    select
    from auth.mfa_factors as f
    where f.user_id = auth.uid()
      and f.status = 'verified'
  );
end
$$;

comment on function authz.may_have_factor() is
  'Whether the caller has a verified second factor; true if auth.mfa_factors cannot be read.';

alter function authz.may_have_factor() owner to aigym_authz;

revoke all on function authz.may_have_factor() from public;

grant execute on function authz.may_have_factor() to authenticated, service_role;

-- schema/authz/_functions/tenant_ids.sql.j2

create function authz.tenant_ids()
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  select m.tenant_id
  from iam.memberships as m
  join iam.tenants as t on t.id = m.tenant_id
  where m.user_id = auth.uid()
    and m.status = 'active'
    and t.deleted_at is null
$$;

comment on function authz.tenant_ids() is
  'The tenants, except deleted ones, of which the caller is an active member.';

alter function authz.tenant_ids() owner to aigym_authz;

revoke all on function authz.tenant_ids() from public;

grant execute on function authz.tenant_ids() to authenticated, service_role;

-- schema/authz/_functions/comember_ids.sql.j2

create function authz.comember_ids()
returns setof uuid
language sql
stable
parallel safe
security definer
rows 200
set search_path = ''
as $$
  select m.user_id
  from iam.memberships as m
  where m.tenant_id = any (array(select authz.tenant_ids()))
    and m.status = 'active'
$$;

comment on function authz.comember_ids() is 'All active members of the caller''s tenants.';

alter function authz.comember_ids() owner to aigym_authz;

revoke all on function authz.comember_ids() from public;

grant execute on function authz.comember_ids() to authenticated, service_role;

-- schema/authz/_functions/unit_ids.sql.j2

create function authz.unit_ids()
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
  where um.user_id = auth.uid()
    and um.tenant_id = any (array(select authz.tenant_ids()))
$$;

comment on function authz.unit_ids() is
  'The caller''s units in tenants of which the caller is an active member.';

alter function authz.unit_ids() owner to aigym_authz;

revoke all on function authz.unit_ids() from public;

grant execute on function authz.unit_ids() to authenticated, service_role;

-- schema/authz/_functions/is_auditor.sql.j2

create function authz.is_auditor()
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
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
$$;

comment on function authz.is_auditor() is
  'Whether the caller is an auditor of the platform, who reads logs and declarations but no personal tables.';

alter function authz.is_auditor() owner to aigym_authz;

revoke all on function authz.is_auditor() from public;

grant execute on function authz.is_auditor() to authenticated, service_role;

-- schema/authz/_functions/is_super_admin.sql.j2

create function authz.is_super_admin()
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
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
$$;

comment on function authz.is_super_admin() is
  'Whether the caller is a super admin with a second factor. The second factor is tested here, because lookup '
  'tables have no MFA level of their own.';

alter function authz.is_super_admin() owner to aigym_authz;

revoke all on function authz.is_super_admin() from public;

grant execute on function authz.is_super_admin() to authenticated, service_role;

-- schema/authz/_functions/admin_tenant_ids.sql.j2

create function authz.admin_tenant_ids()
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  with mine as (
    select ur.tenant_id
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
    where ur.user_id = auth.uid()
      and ur.unit_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and r.tier = 'community_admin'
      and r.deleted_at is null
      and m.status = 'active'
  )
  select t.id
  from iam.tenants as t
  where t.id = any (array(select tenant_id from mine))
    and t.deleted_at is null
  union
  select t.id
  from iam.tenants as t
  where t.ancestor_ids && array(select tenant_id from mine)
    and t.deleted_at is null
  union
  select t.id
  from iam.tenants as t
  where (select authz.is_super_admin())
$$;

comment on function authz.admin_tenant_ids() is
  'The tenants that the caller administers: those where the caller is community admin, and their descendants; '
  'all tenants for a super admin.';

alter function authz.admin_tenant_ids() owner to aigym_authz;

revoke all on function authz.admin_tenant_ids() from public;

grant execute on function authz.admin_tenant_ids() to authenticated, service_role;

-- schema/authz/_functions/elevated.sql.j2

create function authz.elevated(scope text)
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select authz.is_super_admin()
    and exists (
      select
      from audit.security_contexts as c
      where c.user_id = auth.uid()
        and c.scope = elevated.scope
        and c.revoked_at is null
        and c.started_at <= now()
        and c.expires_at > now()
    )
$$;

comment on function authz.elevated(text) is
  'Whether the caller has an active break-glass elevation of this scope.';

alter function authz.elevated(text) owner to aigym_authz;

revoke all on function authz.elevated(text) from public;

grant execute on function authz.elevated(text) to authenticated, service_role;

-- schema/authz/_functions/logs_closed_until.sql.j2

create function authz.logs_closed_until()
returns timestamptz
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select case
    when authz.is_super_admin() or authz.is_auditor() then '-infinity'::timestamptz
    else 'infinity'::timestamptz
  end
$$;

comment on function authz.logs_closed_until() is
  'The time after which the caller can read logs: -infinity for super admins and auditors, infinity for '
  'others. Policies compare a column with it, because `or is_auditor()` would prevent the use of an index.';

alter function authz.logs_closed_until() owner to aigym_authz;

revoke all on function authz.logs_closed_until() from public;

grant execute on function authz.logs_closed_until() to authenticated, service_role;

-- schema/authz/_functions/may_grant.sql.j2

create function authz.may_grant(tier iam.role_tier, tenant_id uuid)
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select case
    when authz.is_super_admin() then true
    -- Roles on the platform, and the tier super_admin in any tenant, require a super admin.
    when may_grant.tenant_id is null or may_grant.tier = 'super_admin' then false
    else may_grant.tenant_id = any (array(select authz.admin_tenant_ids()))
  end
$$;

comment on function authz.may_grant(iam.role_tier, uuid) is
  'Whether the caller can grant and revoke roles of this tier in this tenant or, if the tenant is null, on '
  'the platform.';

alter function authz.may_grant(iam.role_tier, uuid) owner to aigym_authz;

revoke all on function authz.may_grant(iam.role_tier, uuid) from public;

grant execute on function authz.may_grant(iam.role_tier, uuid) to service_role;

-- schema/authz/_functions/profile_visibilities.sql.j2

create function authz.profile_visibilities()
returns setof core.visibility_level
language sql
stable
parallel safe
security definer
rows 1
set search_path = ''
as $$
  select 'public'::core.visibility_level
  union
  select unnest(array['private', 'tenant', 'public'])::core.visibility_level
  where (select authz.is_super_admin())
$$;

comment on function authz.profile_visibilities() is
  'The visibility levels of profiles that the caller can read without a common tenant: public; all levels for '
  'a super admin. Returns a list, because `or is_super_admin()` in the policy would prevent the use of an '
  'index.';

alter function authz.profile_visibilities() owner to aigym_authz;

revoke all on function authz.profile_visibilities() from public;

grant execute on function authz.profile_visibilities() to authenticated, service_role;

-- schema/authz/_functions/readable_user_ids.sql.j2

create function authz.readable_user_ids(scope text)
returns setof uuid
language sql
stable
parallel safe
security definer
rows 3
set search_path = ''
as $$
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
$$;

comment on function authz.readable_user_ids(text) is
  'The people whose personal rows of this scope the caller can read: the caller, and the person for whom an '
  'elevation is active.';

alter function authz.readable_user_ids(text) owner to aigym_authz;

revoke all on function authz.readable_user_ids(text) from public;

grant execute on function authz.readable_user_ids(text) to authenticated, service_role;

-- schema/authz/_functions/reviewable_tenant_ids.sql.j2

create function authz.reviewable_tenant_ids()
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  select authz.admin_tenant_ids()
  union
  select t.id
  from iam.tenants as t
  where (select authz.is_auditor())
$$;

comment on function authz.reviewable_tenant_ids() is
  'The tenants whose roles the caller can read: those that the caller administers; all tenants for an '
  'auditor.';

alter function authz.reviewable_tenant_ids() owner to aigym_authz;

revoke all on function authz.reviewable_tenant_ids() from public;

grant execute on function authz.reviewable_tenant_ids() to authenticated, service_role;

-- schema/authz/_functions/session_ok.sql.j2

create function authz.session_ok(level text)
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select exists (
      select
      from iam.profiles as p
      where p.id = auth.uid()
        and p.status = 'active'
    )
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
            and m.status = 'active'
            and t.require_mfa
        )
    end
$$;

comment on function authz.session_ok(text) is
  'Whether the caller is an active person and the session has the required level: none; enrolled requires a '
  'second factor if the person has or must have one; always requires one from every person.';

alter function authz.session_ok(text) owner to aigym_authz;

revoke all on function authz.session_ok(text) from public;

grant execute on function authz.session_ok(text) to authenticated, service_role;

-- schema/authz/_functions/tenants_with.sql.j2

create function authz.tenants_with(permission text)
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  with
  wanted as (
    select p.id from iam.permissions as p where p.code = tenants_with.permission
  ),
  -- The caller's tenants and roles. A role limited to a unit has no effect on the rest of the tenant.
  mine as (
    select m.tenant_id, ur.role_id
    from iam.memberships as m
    join iam.tenants as t on t.id = m.tenant_id and t.deleted_at is null
    left join iam.user_roles as ur
      on ur.user_id = m.user_id
      and ur.tenant_id = m.tenant_id
      and ur.unit_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and exists (select from iam.roles as r where r.id = ur.role_id and r.deleted_at is null)
    where m.user_id = auth.uid()
      and m.status = 'active'
  ),
  exceptions as (
    select mine.tenant_id, g.effect
    from mine
    join iam.permission_grants as g
      on (g.user_id = auth.uid() or g.role_id = mine.role_id)
      and (g.tenant_id is null or g.tenant_id = mine.tenant_id)
    where g.permission_id = (select id from wanted)
      and g.unit_id is null
      and g.resource_id is null
      and (g.expires_at is null or g.expires_at > now())
  )
  (
    select mine.tenant_id
    from mine
    join iam.role_permissions as rp on rp.role_id = mine.role_id
    where rp.permission_id = (select id from wanted)
    union
    select tenant_id from exceptions where effect = 'allow'
  )
  except
  select tenant_id from exceptions where effect = 'deny'
  union
  select t.id
  from iam.tenants as t
  where (select authz.is_super_admin())
$$;

comment on function authz.tenants_with(text) is
  'The tenants where the caller has a permission, by role or by an exception (deny takes precedence); all '
  'tenants for a super admin.';

alter function authz.tenants_with(text) owner to aigym_authz;

revoke all on function authz.tenants_with(text) from public;

grant execute on function authz.tenants_with(text) to authenticated, service_role;

-- migrate:down

drop function authz.tenants_with(text);
drop function authz.session_ok(text);
drop function authz.reviewable_tenant_ids();
drop function authz.readable_user_ids(text);
drop function authz.profile_visibilities();
drop function authz.may_grant(iam.role_tier, uuid);
drop function authz.logs_closed_until();
drop function authz.elevated(text);
drop function authz.admin_tenant_ids();
drop function authz.is_super_admin();
drop function authz.is_auditor();
drop function authz.unit_ids();
drop function authz.comember_ids();
drop function authz.tenant_ids();
drop function authz.may_have_factor();
drop function authz.assert_session(text);
drop function authz.assert_permission(text, uuid);
drop function authz.aal();

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

comment on function authz.aal() is 'How sure the session is of the person: aal1 a password, aal2 or aal3 a second '
  'factor.';

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
    raise exception 'you do not have the permission % here', assert_permission.code
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
    raise exception 'the permission % asks for a second factor', assert_permission.code
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

comment on function authz.assert_permission(text, uuid) is
  'Refuses a caller without the permission in the tenant, or without the second factor the permission asks for.';

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
    raise exception 'this session may not do that'
      using errcode = 'insufficient_privilege',
            hint = 'Sign in as an active person, with a second factor where one is asked for.';
  end if;
end
$$;

comment on function authz.assert_session(text) is
  'Refuses a session that authz.session_ok() would not let in. For functions that write as their owner, past the '
  'policies.';

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
  -- Who cannot see the factors would find none and let everybody in. So: not seeing counts as having one.
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
  'The caller has a verified second factor, or we cannot know.';

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

comment on function authz.tenant_ids() is 'The living tenants the caller is an active member of.';

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

comment on function authz.comember_ids() is 'Everybody who is an active member of a tenant of the caller.';

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

comment on function authz.unit_ids() is 'The units the caller belongs to, in tenants the caller is an active member '
  'of.';

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

comment on function authz.is_auditor() is 'The caller audits the platform: reads logs and declarations, never '
  'personal tables.';

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
  'The caller administers the platform. Without a second factor nobody does: the lookup tables have no MFA level of '
  'their own.';

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
  'The tenants the caller administers: where the caller is community admin, and everything below; all of them for a '
  'super admin.';

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

comment on function authz.elevated(text) is 'The caller has broken the glass for this scope, and it has not healed '
  'yet.';

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
  'Super admins and auditors read the logs from the beginning of time, nobody else ever. A time to compare a column '
  'with, because a bare "or is_auditor()" in the policy would forgo the index for everybody.';

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
    -- On the platform, and for super admins anywhere, only super admins decide.
    when may_grant.tenant_id is null or may_grant.tier = 'super_admin' then false
    else may_grant.tenant_id = any (array(select authz.admin_tenant_ids()))
  end
$$;

comment on function authz.may_grant(iam.role_tier, uuid) is
  'The caller may give or take roles of this tier in this tenant, or, without a tenant, on the platform.';

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
  select unnest(enum_range(null::core.visibility_level))
  where (select authz.is_super_admin())
$$;

comment on function authz.profile_visibilities() is
  'How visible a profile of a stranger must be for the caller to see it: public, and anything for a super admin. A '
  'list, because a bare "or is_super_admin()" in the policy would forgo the index.';

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
  -- People a coach looks after come in with iam.coach_links, one scope at a time.
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
  'Whose personal rows of this scope the caller may read: the caller''s own, and those of the one person the glass '
  'was broken for.';

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
  'The tenants whose roles the caller may look through: those the caller administers; all of them for an auditor.';

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
  'The caller is an active person and the session is strong enough. Levels: none; enrolled asks for a second factor '
  'from whoever has one or must have one; always asks everybody.';

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
  -- Where I am, and with which roles. A role limited to a unit gives nothing tenant-wide.
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
  'The tenants where the caller has a permission: by role or by an exception, deny wins; all of them for a super '
  'admin.';

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

-- Members and their roles. A membership …d…, a role …e… per person and tenant.
-- Soft-deleted roles: they grant nothing to people who still have them.
insert into iam.roles (id, code, tier, role_type, name, deleted_at)
values
  (
    '00000000-0000-4000-8000-0000000a0001', 'retired_super_admin', 'super_admin', 'admin', 'Retired super admin',
    '2026-01-06 08:00:00+00'
  ),
  (
    '00000000-0000-4000-8000-0000000a0002', 'retired_auditor', 'end_user', 'auditor', 'Retired auditor',
    '2026-01-06 08:00:00+00'
  ),
  (
    '00000000-0000-4000-8000-0000000a0003', 'retired_admin', 'community_admin', 'admin', 'Retired admin',
    '2026-01-06 08:00:00+00'
  ),
  (
    '00000000-0000-4000-8000-0000000a0004', 'retired_editor', 'end_user', 'content_creator', 'Retired editor',
    '2026-01-06 08:00:00+00'
  );

insert into iam.role_permissions (role_id, permission_id)
select '00000000-0000-4000-8000-0000000a0004', p.id
from iam.permissions as p
where p.code in ('content.create', 'content.edit', 'media.create', 'media.edit');

insert into iam.memberships (id, tenant_id, user_id, status, joined_at, ended_at)
select
  ('00000000-0000-4000-8000-0000d' || right(member.tenant, 3) || '0' || right(member.person, 3))::uuid,
  ('00000000-0000-4000-8000-00000000' || member.tenant)::uuid,
  ('00000000-0000-4000-8000-00000000' || member.person)::uuid,
  member.status::iam.membership_status,
  '2026-01-05 08:00:00+00',
  case when member.status = 'terminated' then timestamptz '2026-01-06 08:00:00+00' end
from (
  values
    ('b001', 'a002', 'active'),
    ('b001', 'a003', 'active'),
    ('b001', 'a004', 'active'),
    ('b001', 'a005', 'active'),
    ('b001', 'a009', 'active'),
    ('b001', 'a011', 'active'),
    ('b001', 'a012', 'terminated'),
    ('b001', 'a013', 'active'),
    ('b001', 'a014', 'active'),
    ('b001', 'a015', 'active'),
    ('b001', 'a016', 'active'),
    ('b001', 'a017', 'active'),
    ('b001', 'a018', 'active'),
    ('b001', 'a022', 'active'),
    ('b001', 'a024', 'active'),
    ('b001', 'a025', 'active'),
    ('b001', 'a026', 'active'),
    ('b003', 'a026', 'terminated'),
    ('b003', 'a020', 'active'),
    ('b003', 'a023', 'active'),
    -- In a deleted tenant: grants no access.
    ('b004', 'a014', 'active'),
    ('b002', 'a006', 'active'),
    ('b002', 'a007', 'active'),
    ('b002', 'a021', 'active'),
    ('b002', 'a022', 'active'),
    -- Pending, not yet active.
    ('b002', 'a010', 'pending')
) as member (tenant, person, status);

insert into iam.unit_members (tenant_id, unit_id, user_id, is_primary, is_lead)
values
  (
    '00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000c001', '00000000-0000-4000-8000-00000000a003',
    true, false
  ),
  (
    '00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000c001', '00000000-0000-4000-8000-00000000a016',
    true, true
  ),
  (
    '00000000-0000-4000-8000-00000000b003', '00000000-0000-4000-8000-00000000c004', '00000000-0000-4000-8000-00000000a023',
    true, false
  ),
  (
    '00000000-0000-4000-8000-00000000b002', '00000000-0000-4000-8000-00000000c011', '00000000-0000-4000-8000-00000000a007',
    true, false
  );

insert into iam.user_roles (id, user_id, role_id, tenant_id, unit_id, granted_at, expires_at, revoked_at)
select
  (
    '00000000-0000-4000-8000-' || lpad(held.ordinal::text, 4, '0') || 'e' || coalesce(right(held.tenant, 3), '000') || '0'
    || right(held.person, 3)
  )::uuid,
  ('00000000-0000-4000-8000-00000000' || held.person)::uuid,
  r.id,
  ('00000000-0000-4000-8000-00000000' || held.tenant)::uuid,
  ('00000000-0000-4000-8000-00000000' || held.unit)::uuid,
  '2026-01-05 08:00:00+00',
  held.expires_at::timestamptz,
  held.revoked_at::timestamptz
from (
  values
    (0, 'a001', 'super_admin', null, null, null, null),
    (0, 'a019', 'super_admin', null, null, null, null),
    (0, 'a008', 'auditor', null, null, null, null),
    (0, 'a002', 'community_admin', 'b001', null, null, null),
    (0, 'a003', 'member', 'b001', null, null, null),
    (0, 'a004', 'member', 'b001', null, null, null),
    (0, 'a005', 'coach', 'b001', null, null, null),
    (0, 'a009', 'member', 'b001', null, null, null),
    (1, 'a009', 'community_admin', 'b001', null, null, null),
    (0, 'a011', 'content_creator', 'b001', null, null, null),
    (0, 'a012', 'community_admin', 'b001', null, null, null),
    (0, 'a013', 'community_admin', 'b001', null, '2026-01-06 08:00:00+00', null),
    (0, 'a014', 'community_admin', 'b001', null, null, '2026-01-06 08:00:00+00'),
    (0, 'a015', 'member', 'b001', null, null, null),
    (0, 'a016', 'community_admin', 'b001', 'c001', null, null),
    (0, 'a017', 'content_editor', 'b001', null, null, null),
    (0, 'a018', 'member', 'b001', null, null, null),
    (0, 'a022', 'member', 'b001', null, null, null),
    (0, 'a024', 'content_editor', 'b001', null, null, null),
    (0, 'a025', 'member', 'b001', null, null, null),
    (0, 'a020', 'community_admin', 'b003', null, null, null),
    (0, 'a023', 'member', 'b003', null, null, null),
    (0, 'a014', 'community_admin', 'b004', null, null, null),
    (0, 'a006', 'owner', 'b002', null, null, null),
    (0, 'a007', 'member', 'b002', null, null, null),
    (0, 'a021', 'content_editor', 'b002', null, null, null),
    (0, 'a022', 'member', 'b002', null, null, null),
    (0, 'a010', 'system', null, null, null, null),
    (0, 'a026', 'member', 'b001', null, null, null),
    -- Expired, revoked, deleted, or limited to a unit: none of these grants anything.
    (1, 'a013', 'super_admin', null, null, '2026-01-06 08:00:00+00', null),
    (2, 'a013', 'auditor', null, null, '2026-01-06 08:00:00+00', null),
    (3, 'a013', 'content_editor', 'b001', null, '2026-01-06 08:00:00+00', null),
    (1, 'a014', 'super_admin', null, null, null, '2026-01-06 08:00:00+00'),
    (2, 'a014', 'auditor', null, null, null, '2026-01-06 08:00:00+00'),
    (3, 'a014', 'content_editor', 'b001', null, null, '2026-01-06 08:00:00+00'),
    (4, 'a014', 'retired_super_admin', null, null, null, null),
    (5, 'a014', 'retired_auditor', null, null, null, null),
    (6, 'a014', 'retired_admin', 'b001', null, null, null),
    (7, 'a014', 'retired_editor', 'b001', null, null, null),
    (1, 'a026', 'coach', 'b001', null, null, '2026-01-06 08:00:00+00'),
    (1, 'a016', 'super_admin', 'b001', null, null, null),
    (2, 'a016', 'auditor', 'b001', null, null, null),
    (3, 'a016', 'content_editor', 'b001', 'c001', null, null)
) as held (ordinal, person, role_code, tenant, unit, expires_at, revoked_at)
join iam.roles as r on r.code = held.role_code;

insert into iam.permission_grants (
  id, user_id, role_id, permission_id, tenant_id, unit_id, effect, granted_at, expires_at, resource_id
)
select
  exception.id::uuid, exception.user_id::uuid, r.id, p.id, exception.tenant_id::uuid, exception.unit_id::uuid,
  exception.effect::iam.grant_effect, '2026-01-05 08:00:00+00', exception.expires_at::timestamptz,
  -- Limited to one resource, so it grants nothing else in the tenant.
  case when exception.id = '00000000-0000-4000-8000-000000f1a003' then uuid '00000000-0000-4000-8000-000000001103' end
from (
  values
    -- Denied in A although the role allows.
    (
      '00000000-0000-4000-8000-000000f0a017', '00000000-0000-4000-8000-00000000a017', null, 'content.edit',
      '00000000-0000-4000-8000-00000000b001', null, 'deny', null
    ),
    (
      '00000000-0000-4000-8000-000000f1a017', '00000000-0000-4000-8000-00000000a017', null, 'content.delete',
      '00000000-0000-4000-8000-00000000b001', null, 'deny', null
    ),
    -- Allowed in A although the role does not.
    (
      '00000000-0000-4000-8000-000000f0a018', '00000000-0000-4000-8000-00000000a018', null, 'content.create',
      '00000000-0000-4000-8000-00000000b001', null, 'allow', null
    ),
    -- Expired, limited to one resource, limited to a unit: none grants anything in the tenant.
    (
      '00000000-0000-4000-8000-000000f0a003', '00000000-0000-4000-8000-00000000a003', null, 'content.edit',
      '00000000-0000-4000-8000-00000000b001', null, 'allow', '2026-01-06 08:00:00+00'
    ),
    (
      '00000000-0000-4000-8000-000000f1a003', '00000000-0000-4000-8000-00000000a003', null, 'content.edit',
      '00000000-0000-4000-8000-00000000b001', null, 'allow', null
    ),
    (
      '00000000-0000-4000-8000-000000f0a004', '00000000-0000-4000-8000-00000000a004', null, 'content.edit',
      '00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000c001', 'allow', null
    ),
    -- Of a membership that has ended.
    (
      '00000000-0000-4000-8000-000000f0a012', '00000000-0000-4000-8000-00000000a012', null, 'content.edit',
      '00000000-0000-4000-8000-00000000b001', null, 'allow', null
    ),
    -- Expired, for another tenant, and for a unit: none of these takes anything from the editor of A.
    (
      '00000000-0000-4000-8000-000000f0a024', '00000000-0000-4000-8000-00000000a024', null, 'content.edit',
      '00000000-0000-4000-8000-00000000b001', null, 'deny', '2026-01-06 08:00:00+00'
    ),
    (
      '00000000-0000-4000-8000-000000f1a024', '00000000-0000-4000-8000-00000000a024', null, 'content.edit',
      '00000000-0000-4000-8000-00000000b002', null, 'deny', null
    ),
    (
      '00000000-0000-4000-8000-000000f2a024', '00000000-0000-4000-8000-00000000a024', null, 'content.edit',
      '00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000c001', 'deny', null
    ),
    -- World B, a role everywhere, and a person everywhere.
    (
      '00000000-0000-4000-8000-000000f0a007', '00000000-0000-4000-8000-00000000a007', null, 'media.create',
      '00000000-0000-4000-8000-00000000b002', null, 'allow', null
    ),
    ('00000000-0000-4000-8000-000000f0e001', null, 'guest', 'ai.use', null, null, 'deny', null),
    (
      '00000000-0000-4000-8000-000000f0a011', '00000000-0000-4000-8000-00000000a011', null, 'media.create',
      null, null, 'allow', null
    )
) as exception (id, user_id, role_code, permission_code, tenant_id, unit_id, effect, expires_at)
join iam.permissions as p on p.code = exception.permission_code
left join iam.roles as r on r.code = exception.role_code;

-- The tokens are 'open-a', 'used-a', 'gone-a', 'back-a' and 'open-b'. 'back-a' is for the former admin of A.
insert into iam.invitations (
  id, tenant_id, email, role_id, unit_id, token_hash, invited_by, expires_at, accepted_at, accepted_by, revoked_at
)
select
  invitation.id::uuid, invitation.tenant_id::uuid, invitation.email, r.id, null, sha256(invitation.token::bytea),
  invitation.invited_by::uuid, invitation.expires_at::timestamptz, invitation.accepted_at::timestamptz,
  invitation.accepted_by::uuid, invitation.revoked_at::timestamptz
from (
  values
    (
      '00000000-0000-4000-8000-0000001b0011', '00000000-0000-4000-8000-00000000b001', 'no.tenant@example.test', 'member',
      'open-a', '00000000-0000-4000-8000-00000000a002', '2099-01-01 00:00:00+00', null, null, null
    ),
    (
      '00000000-0000-4000-8000-0000001b0012', '00000000-0000-4000-8000-00000000b001', 'member.one@example.test', 'member',
      'used-a', '00000000-0000-4000-8000-00000000a002', '2099-01-01 00:00:00+00', '2026-01-05 08:00:00+00',
      '00000000-0000-4000-8000-00000000a003', null
    ),
    (
      '00000000-0000-4000-8000-0000001b0013', '00000000-0000-4000-8000-00000000b001', 'member.b@example.test', 'member',
      'gone-a', '00000000-0000-4000-8000-00000000a002', '2026-01-06 00:00:00+00', null, null, null
    ),
    (
      '00000000-0000-4000-8000-0000001b0014', '00000000-0000-4000-8000-00000000b001', 'former.admin@example.test', 'guest',
      'back-a', '00000000-0000-4000-8000-00000000a002', '2099-01-01 00:00:00+00', null, null, null
    ),
    (
      '00000000-0000-4000-8000-0000001b0021', '00000000-0000-4000-8000-00000000b002', 'no.tenant@example.test', 'member',
      'open-b', '00000000-0000-4000-8000-00000000a006', '2099-01-01 00:00:00+00', null, null, null
    )
) as invitation (
  id, tenant_id, email, role_code, token, invited_by, expires_at, accepted_at, accepted_by, revoked_at
)
join iam.roles as r on r.code = invitation.role_code;

-- The permissions of each role, one line per role. Adds missing permissions; does not remove additional ones, which may
-- have been granted deliberately.
insert into iam.role_permissions (role_id, permission_id, is_default)
select r.id, p.id, true
from (
  values
    ('super_admin', array['platform.configure', 'platform.audit', 'platform.elevate', 'profile.edit']),
    ('auditor', array['platform.audit', 'profile.edit']),
    (
      'owner',
      array[
        'content.read', 'content.create', 'content.edit', 'content.publish', 'content.review', 'content.assign',
        'training.create', 'training.edit', 'training.publish', 'ai.use', 'ai.configure', 'member.read',
        'member.invite', 'member.manage', 'unit.manage', 'role.grant', 'tenant.configure', 'tenant.close',
        'audit.read', 'billing.read', 'billing.manage', 'profile.edit'
      ]
    ),
    (
      'community_admin',
      array[
        'content.read', 'content.create', 'content.edit', 'content.publish', 'content.review', 'content.assign',
        'training.create', 'training.edit', 'training.publish', 'ai.use', 'ai.configure', 'member.read',
        'member.invite', 'member.manage', 'unit.manage', 'role.grant', 'tenant.configure', 'audit.read',
        'billing.read', 'profile.edit'
      ]
    ),
    (
      'manager',
      array['content.read', 'content.review', 'content.assign', 'ai.use', 'member.read', 'profile.edit']
    ),
    (
      'content_editor',
      array[
        'content.read', 'content.create', 'content.edit', 'content.publish', 'content.review', 'ai.use', 'profile.edit'
      ]
    ),
    ('content_creator', array['content.read', 'content.create', 'ai.use', 'profile.edit']),
    ('coach', array['content.read', 'ai.use', 'member.read', 'client.read', 'client.assign', 'profile.edit']),
    (
      'trainer',
      array[
        'content.read', 'training.create', 'training.edit', 'training.publish', 'ai.use', 'client.read',
        'client.assign', 'profile.edit'
      ]
    ),
    (
      'physiotherapist',
      array['content.read', 'training.create', 'training.edit', 'ai.use', 'client.read', 'client.assign', 'profile.edit']
    ),
    ('member', array['content.read', 'ai.use', 'profile.edit']),
    ('customer', array['content.read', 'ai.use', 'profile.edit']),
    ('guest', array['content.read', 'profile.edit'])
) as wanted (role_code, permission_codes)
join iam.roles as r on r.code = wanted.role_code
join iam.permissions as p on p.code = any (wanted.permission_codes)
on conflict (role_id, permission_id) do nothing;

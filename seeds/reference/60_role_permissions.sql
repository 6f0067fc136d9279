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
        'content.create', 'content.edit', 'content.publish', 'content.delete', 'media.create', 'media.edit',
        'media.delete', 'ai.use', 'ai.configure', 'member.read',
        'member.invite', 'member.manage', 'unit.manage', 'role.grant', 'tenant.configure', 'tenant.close',
        'audit.read', 'billing.read', 'billing.manage', 'profile.edit'
      ]
    ),
    (
      'community_admin',
      array[
        'content.create', 'content.edit', 'content.publish', 'content.delete', 'media.create', 'media.edit',
        'media.delete', 'ai.use', 'ai.configure', 'member.read',
        'member.invite', 'member.manage', 'unit.manage', 'role.grant', 'tenant.configure', 'audit.read',
        'billing.read', 'profile.edit'
      ]
    ),
    (
      'manager',
      array['ai.use', 'member.read', 'profile.edit']
    ),
    (
      'content_editor',
      array[
        'content.create', 'content.edit', 'content.publish', 'content.delete', 'media.create', 'ai.use', 'profile.edit'
      ]
    ),
    ('content_creator', array['content.create', 'media.create', 'ai.use', 'profile.edit']),
    ('coach', array['ai.use', 'member.read', 'client.read', 'client.assign', 'profile.edit']),
    (
      'trainer',
      array[
        'media.create', 'media.edit', 'media.delete', 'ai.use', 'client.read',
        'client.assign', 'profile.edit'
      ]
    ),
    (
      'physiotherapist',
      array['media.create', 'media.edit', 'media.delete', 'ai.use', 'client.read', 'client.assign', 'profile.edit']
    ),
    ('member', array['ai.use', 'profile.edit']),
    ('customer', array['ai.use', 'profile.edit']),
    ('guest', array['profile.edit'])
) as wanted (role_code, permission_codes)
join iam.roles as r on r.code = wanted.role_code
join iam.permissions as p on p.code = any (wanted.permission_codes)
on conflict (role_id, permission_id) do nothing;

-- The permissions of each role, one line per role. Adds missing permissions; does not remove additional ones, which may
-- have been granted deliberately.
insert into iam.role_permissions (role_id, permission_id, is_default)
select r.id, p.id, true
from (
  values
    ('super_admin', array['platform.elevate', 'platform.grant', 'tenant.suspend']),
    (
      'owner',
      array[
        'content.create', 'content.edit', 'content.publish', 'content.delete', 'media.create', 'media.edit',
        'media.delete', 'ai.use',
        'member.invite', 'member.manage', 'unit.manage', 'role.grant', 'tenant.configure', 'tenant.close',
        'audit.read'
      ]
    ),
    (
      'community_admin',
      array[
        'content.create', 'content.edit', 'content.publish', 'content.delete', 'media.create', 'media.edit',
        'media.delete', 'ai.use',
        'member.invite', 'member.manage', 'unit.manage', 'role.grant', 'tenant.configure', 'audit.read'
      ]
    ),
    (
      'manager',
      array['ai.use']
    ),
    (
      'content_editor',
      array[
        'content.create', 'content.edit', 'content.publish', 'content.delete', 'media.create', 'ai.use'
      ]
    ),
    ('content_creator', array['content.create', 'media.create', 'ai.use']),
    ('coach', array['ai.use']),
    (
      'trainer',
      array[
        'media.create', 'media.edit', 'media.delete', 'ai.use'
      ]
    ),
    (
      'physiotherapist',
      array['media.create', 'media.edit', 'media.delete', 'ai.use']
    ),
    ('member', array['ai.use']),
    ('customer', array['ai.use'])
) as wanted (role_code, permission_codes)
join iam.roles as r on r.code = wanted.role_code
join iam.permissions as p on p.code = any (wanted.permission_codes)
on conflict (role_id, permission_id) do nothing;

-- The permissions. Each is tested by the policies or functions that perform the action: a test lists them.
insert into iam.permissions as held (
  id, code, resource, action, scope, name, is_dangerous, requires_mfa, risk_level
)
values
  ('00000000-0000-4000-9000-000500000002', 'content.create', 'content', 'create', 'tenant', 'Write content', false, false, 2),
  ('00000000-0000-4000-9000-000500000003', 'content.edit', 'content', 'edit', 'tenant', 'Edit all content', false, false, 3),
  ('00000000-0000-4000-9000-000500000004', 'content.publish', 'content', 'publish', 'tenant', 'Publish content', false, false, 3),
  ('00000000-0000-4000-9000-000500000005', 'content.delete', 'content', 'delete', 'tenant', 'Delete and restore all content', false, false, 3),
  ('00000000-0000-4000-9000-000500000007', 'media.create', 'media', 'create', 'tenant', 'Add files', false, false, 2),
  ('00000000-0000-4000-9000-000500000008', 'media.edit', 'media', 'edit', 'tenant', 'Edit all files', false, false, 3),
  ('00000000-0000-4000-9000-000500000009', 'media.delete', 'media', 'delete', 'tenant', 'Delete and restore all files', false, false, 3),
  ('00000000-0000-4000-9000-000500000010', 'ai.use', 'ai', 'use', 'tenant', 'Talk to agents', false, false, 1),
  ('00000000-0000-4000-9000-000500000013', 'member.invite', 'member', 'invite', 'tenant', 'Invite people', false, true, 3),
  ('00000000-0000-4000-9000-000500000014', 'member.manage', 'member', 'manage', 'tenant', 'Approve, suspend and end memberships', true, true, 4),
  ('00000000-0000-4000-9000-000500000015', 'unit.manage', 'unit', 'manage', 'tenant', 'Form teams and departments', false, false, 2),
  ('00000000-0000-4000-9000-000500000016', 'role.grant', 'role', 'grant', 'tenant', 'Grant and revoke roles', true, true, 5),
  ('00000000-0000-4000-9000-000500000017', 'tenant.configure', 'tenant', 'configure', 'tenant', 'Change the tenant''s settings', false, true, 3),
  ('00000000-0000-4000-9000-000500000018', 'tenant.close', 'tenant', 'close', 'tenant', 'Close the tenant', true, true, 5),
  ('00000000-0000-4000-9000-000500000019', 'audit.read', 'audit', 'read', 'tenant', 'Read the tenant''s log', false, true, 3),
  ('00000000-0000-4000-9000-000500000027', 'platform.elevate', 'platform', 'elevate', 'platform', 'Open a break-glass elevation', true, true, 5),
  ('00000000-0000-4000-9000-000500000035', 'platform.grant', 'platform', 'grant', 'platform', 'Grant roles on the platform and change roles', true, true, 5),
  ('00000000-0000-4000-9000-000500000036', 'tenant.suspend', 'tenant', 'suspend', 'platform', 'Suspend, reactivate, close and delete tenants', true, true, 5)
on conflict (code) do update
set
  resource = excluded.resource,
  action = excluded.action,
  scope = excluded.scope,
  name = excluded.name,
  is_dangerous = excluded.is_dangerous,
  requires_mfa = excluded.requires_mfa,
  risk_level = excluded.risk_level
where (held.resource, held.action, held.scope, held.name, held.is_dangerous, held.requires_mfa, held.risk_level)
  is distinct from (
    excluded.resource, excluded.action, excluded.scope, excluded.name, excluded.is_dangerous, excluded.requires_mfa,
    excluded.risk_level
  );

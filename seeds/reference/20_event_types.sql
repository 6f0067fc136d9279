-- The event types of the logs. Functions use these codes: audit.log_security() and audit.log_system() reject other codes.
insert into audit.event_types as held (
  id, code, name, category, is_sensitive, requires_immediate_alert
)
values
  ('00000000-0000-4000-9000-000200000001', 'login.succeeded', 'Signed in', 'security', false, false),
  ('00000000-0000-4000-9000-000200000003', 'login.ended', 'Signed out', 'security', false, false),
  ('00000000-0000-4000-9000-000200000004', 'mfa.enrolled', 'Second factor added', 'security', false, false),
  ('00000000-0000-4000-9000-000200000005', 'mfa.removed', 'Second factor removed', 'security', true, false),
  ('00000000-0000-4000-9000-000200000007', 'password.changed', 'Password changed', 'security', true, false),
  ('00000000-0000-4000-9000-000200000009', 'role.granted', 'Role granted', 'security', true, false),
  ('00000000-0000-4000-9000-000200000010', 'role.revoked', 'Role revoked', 'security', true, false),
  ('00000000-0000-4000-9000-000200000011', 'elevation.opened', 'Elevation opened', 'security', true, true),
  ('00000000-0000-4000-9000-000200000012', 'elevation.ended', 'Elevation ended', 'security', true, false),
  ('00000000-0000-4000-9000-000200000014', 'tenant.created', 'Tenant founded', 'business', false, false),
  ('00000000-0000-4000-9000-000200000016', 'invitation.created', 'Invitation sent', 'business', false, false),
  ('00000000-0000-4000-9000-000200000017', 'invitation.accepted', 'Invitation accepted', 'business', false, false),
  ('00000000-0000-4000-9000-000200000023', 'job.failed', 'Job failed', 'system', false, true),
  ('00000000-0000-4000-9000-000200000024', 'partition.created', 'Partition created', 'system', false, false),
  ('00000000-0000-4000-9000-000200000025', 'partition.detached', 'Partition detached', 'system', false, false),
  ('00000000-0000-4000-9000-000200000033', 'partition.archived', 'Partition archived', 'system', false, false),
  ('00000000-0000-4000-9000-000200000034', 'partition.dropped', 'Partition dropped', 'system', false, false),
  ('00000000-0000-4000-9000-000200000035', 'privilege.changed', 'Privilege changed directly', 'security', true, true),
  ('00000000-0000-4000-9000-000200000036', 'retention.changed', 'Retention changed', 'security', true, true),
  ('00000000-0000-4000-9000-000200000050', 'invitation.revoked', 'Invitation revoked', 'business', false, false),
  ('00000000-0000-4000-9000-000200000051', 'membership.approved', 'Membership approved', 'business', false, false),
  ('00000000-0000-4000-9000-000200000052', 'membership.suspended', 'Membership suspended', 'security', true, false),
  ('00000000-0000-4000-9000-000200000053', 'membership.reactivated', 'Membership reactivated', 'security', false, false),
  ('00000000-0000-4000-9000-000200000054', 'membership.ended', 'Membership ended', 'security', false, false),
  ('00000000-0000-4000-9000-000200000055', 'membership.left', 'Tenant left', 'business', false, false),
  ('00000000-0000-4000-9000-000200000056', 'membership.joined', 'Tenant joined', 'business', false, false),
  ('00000000-0000-4000-9000-000200000057', 'membership.requested', 'Membership requested', 'business', false, false),
  ('00000000-0000-4000-9000-000200000058', 'ownership.handed_over', 'Ownership handed over', 'security', true, true),
  ('00000000-0000-4000-9000-000200000059', 'permission.granted', 'Permission allowed or denied', 'security', true, false),
  ('00000000-0000-4000-9000-000200000060', 'permission.revoked', 'Exception of a permission revoked', 'security', true, false),
  ('00000000-0000-4000-9000-000200000061', 'role.changed', 'Role changed', 'security', true, true),
  ('00000000-0000-4000-9000-000200000062', 'tenant.suspended', 'Tenant suspended', 'business', false, false),
  ('00000000-0000-4000-9000-000200000063', 'tenant.reactivated', 'Tenant reactivated', 'business', false, false),
  ('00000000-0000-4000-9000-000200000064', 'tenant.closing', 'Closure of a tenant', 'business', true, false),
  ('00000000-0000-4000-9000-000200000065', 'tenant.deleted', 'Tenant deleted', 'business', true, false),
  ('00000000-0000-4000-9000-000200000066', 'tenant.restored', 'Tenant restored', 'business', true, false)
on conflict (code) do update
set
  name = excluded.name,
  category = excluded.category,
  is_sensitive = excluded.is_sensitive,
  requires_immediate_alert = excluded.requires_immediate_alert
where (held.name, held.category, held.is_sensitive, held.requires_immediate_alert)
  is distinct from (excluded.name, excluded.category, excluded.is_sensitive, excluded.requires_immediate_alert);

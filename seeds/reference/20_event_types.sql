-- The event types of the logs. Functions use these codes: audit.log_security() rejects other codes.
insert into audit.event_types as held (
  id, code, name, category, retention_days, is_sensitive, requires_immediate_alert
)
values
  ('00000000-0000-4000-9000-000200000001', 'login.succeeded', 'Signed in', 'security', 2555, false, false),
  ('00000000-0000-4000-9000-000200000002', 'login.failed', 'Sign-in rejected', 'security', 2555, false, false),
  ('00000000-0000-4000-9000-000200000003', 'login.ended', 'Signed out', 'security', 2555, false, false),
  ('00000000-0000-4000-9000-000200000004', 'mfa.enrolled', 'Second factor added', 'security', 2555, false, false),
  ('00000000-0000-4000-9000-000200000005', 'mfa.removed', 'Second factor removed', 'security', 2555, true, false),
  ('00000000-0000-4000-9000-000200000006', 'mfa.failed', 'Second factor rejected', 'security', 2555, true, false),
  ('00000000-0000-4000-9000-000200000007', 'password.changed', 'Password changed', 'security', 2555, true, false),
  ('00000000-0000-4000-9000-000200000008', 'permission.denied', 'Permission denied', 'security', 2555, false, false),
  ('00000000-0000-4000-9000-000200000009', 'role.granted', 'Role granted', 'security', 2555, true, false),
  ('00000000-0000-4000-9000-000200000010', 'role.revoked', 'Role revoked', 'security', 2555, true, false),
  ('00000000-0000-4000-9000-000200000011', 'elevation.opened', 'Elevation opened', 'security', 2555, true, true),
  ('00000000-0000-4000-9000-000200000012', 'elevation.ended', 'Elevation ended', 'security', 2555, true, false),
  ('00000000-0000-4000-9000-000200000013', 'phi.read', 'Health data read', 'compliance', 2555, true, false),
  ('00000000-0000-4000-9000-000200000014', 'tenant.created', 'Tenant founded', 'business', 2555, false, false),
  ('00000000-0000-4000-9000-000200000015', 'tenant.suspended', 'Tenant suspended', 'business', 2555, false, false),
  ('00000000-0000-4000-9000-000200000016', 'invitation.created', 'Invitation sent', 'business', 2555, false, false),
  ('00000000-0000-4000-9000-000200000017', 'invitation.accepted', 'Invitation accepted', 'business', 2555, false, false),
  ('00000000-0000-4000-9000-000200000018', 'data.exported', 'Data exported', 'compliance', 2555, true, false),
  ('00000000-0000-4000-9000-000200000019', 'consent.changed', 'Consent given or withdrawn', 'compliance', 2555, true, false),
  ('00000000-0000-4000-9000-000200000020', 'erasure.requested', 'Erasure requested', 'compliance', 2555, true, false),
  ('00000000-0000-4000-9000-000200000021', 'erasure.completed', 'Person erased', 'compliance', 2555, true, false),
  ('00000000-0000-4000-9000-000200000022', 'config.changed', 'Configuration changed', 'system', 2555, false, false),
  ('00000000-0000-4000-9000-000200000023', 'job.failed', 'Job failed', 'system', 90, false, true),
  ('00000000-0000-4000-9000-000200000024', 'partition.created', 'Partition created', 'system', 90, false, false),
  ('00000000-0000-4000-9000-000200000025', 'partition.detached', 'Partition detached', 'system', 90, false, false),
  ('00000000-0000-4000-9000-000200000026', 'backup.completed', 'Backup completed', 'system', 90, false, false),
  ('00000000-0000-4000-9000-000200000027', 'backup.failed', 'Backup failed', 'system', 90, false, true),
  ('00000000-0000-4000-9000-000200000028', 'query.slow', 'Slow query', 'performance', 90, false, false),
  ('00000000-0000-4000-9000-000200000029', 'threshold.crossed', 'Threshold crossed', 'performance', 90, false, true),
  ('00000000-0000-4000-9000-000200000030', 'integration.failed', 'Call to another system failed', 'integration', 90, false, false),
  ('00000000-0000-4000-9000-000200000031', 'content.published', 'Content published', 'user_action', 365, false, false),
  ('00000000-0000-4000-9000-000200000032', 'conversation.started', 'Conversation started', 'user_action', 365, false, false)
on conflict (code) do update
set
  name = excluded.name,
  category = excluded.category,
  retention_days = excluded.retention_days,
  is_sensitive = excluded.is_sensitive,
  requires_immediate_alert = excluded.requires_immediate_alert
where (held.name, held.category, held.retention_days, held.is_sensitive, held.requires_immediate_alert)
  is distinct from (
    excluded.name, excluded.category, excluded.retention_days, excluded.is_sensitive, excluded.requires_immediate_alert
  );

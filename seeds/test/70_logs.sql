-- Logs, sessions, elevations and declarations. Rows of the partitioned logs and open elevations are dated today.
insert into audit.audit_log (id, schema_name, table_name, row_pk, action, actor_id, tenant_id, subject_user_id)
values
  (
    '00000000-0000-4000-8000-000000003101', 'content', 'items', '{"id": "00000000-0000-4000-8000-000000001101"}', 'update',
    '00000000-0000-4000-8000-00000000a011', '00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000a011'
  ),
  (
    '00000000-0000-4000-8000-000000003102', 'content', 'items', '{"id": "00000000-0000-4000-8000-000000001301"}', 'update',
    '00000000-0000-4000-8000-00000000a023', '00000000-0000-4000-8000-00000000b003', '00000000-0000-4000-8000-00000000a023'
  ),
  (
    '00000000-0000-4000-8000-000000003201', 'content', 'items', '{"id": "00000000-0000-4000-8000-000000001201"}', 'update',
    '00000000-0000-4000-8000-00000000a021', '00000000-0000-4000-8000-00000000b002', '00000000-0000-4000-8000-00000000a021'
  ),
  (
    '00000000-0000-4000-8000-000000003901', 'iam', 'roles', '{"id": "00000000-0000-4000-9000-000400000012"}', 'update',
    '00000000-0000-4000-8000-00000000a008', null, null
  );

insert into audit.security_audit (id, event_type_id, user_id, tenant_id, action, outcome, risk_level)
select
  event.id::uuid, t.id, event.user_id::uuid, event.tenant_id::uuid, 'sign_in', event.outcome,
  event.risk_level::audit.risk_level
from (
  values
    (
      '00000000-0000-4000-8000-000000004101', '00000000-0000-4000-8000-00000000a003',
      '00000000-0000-4000-8000-00000000b001', 'success', 'low'
    ),
    (
      '00000000-0000-4000-8000-000000004102', '00000000-0000-4000-8000-00000000a002',
      '00000000-0000-4000-8000-00000000b001', 'failure', 'high'
    ),
    ('00000000-0000-4000-8000-000000004103', '00000000-0000-4000-8000-00000000a003', null, 'success', 'low'),
    (
      '00000000-0000-4000-8000-000000004201', '00000000-0000-4000-8000-00000000a007',
      '00000000-0000-4000-8000-00000000b002', 'success', 'low'
    ),
    ('00000000-0000-4000-8000-000000004901', '00000000-0000-4000-8000-00000000a001', null, 'success', 'medium')
) as event (id, user_id, tenant_id, outcome, risk_level)
join audit.event_types as t on t.code = 'login.succeeded';

insert into audit.system_events (id, event_type_id, severity, tenant_id)
select event.id::uuid, t.id, 'info', event.tenant_id::uuid
from (
  values
    ('00000000-0000-4000-8000-000000005101', '00000000-0000-4000-8000-00000000b001'),
    ('00000000-0000-4000-8000-000000005201', '00000000-0000-4000-8000-00000000b002'),
    ('00000000-0000-4000-8000-000000005901', null)
) as event (id, tenant_id)
join audit.event_types as t on t.code = 'partition.created';

insert into audit.seals (log_name, window_start, window_end, row_count, content_sha256, seal)
values ('audit_log', '2026-01-05 00:00:00+00', '2026-01-06 00:00:00+00', 0, sha256('window'), sha256('seal'));

insert into audit.sessions (session_id, user_id, aal, started_at, last_activity_at, ended_at)
values
  (
    '00000000-0000-4000-8000-000000006101', '00000000-0000-4000-8000-00000000a003', 'aal1', '2026-01-05 08:00:00+00',
    '2026-01-05 09:00:00+00', null
  ),
  (
    '00000000-0000-4000-8000-000000006102', '00000000-0000-4000-8000-00000000a004', 'aal1', '2026-01-05 08:00:00+00',
    '2026-01-05 09:00:00+00', '2026-01-05 09:00:00+00'
  ),
  (
    '00000000-0000-4000-8000-000000006201', '00000000-0000-4000-8000-00000000a007', 'aal1', '2026-01-05 08:00:00+00',
    '2026-01-05 09:00:00+00', null
  ),
  -- Of the suspended person, and of the one who must use a second factor.
  (
    '00000000-0000-4000-8000-000000006103', '00000000-0000-4000-8000-00000000a009', 'aal2', '2026-01-05 08:00:00+00',
    '2026-01-05 09:00:00+00', null
  ),
  (
    '00000000-0000-4000-8000-000000006104', '00000000-0000-4000-8000-00000000a025', 'aal1', '2026-01-05 08:00:00+00',
    '2026-01-05 09:00:00+00', null
  );

-- Only the first is active; it is for member one and, like every elevation, ends after four hours: reload the fixture.
-- The elevations of scope tenant_support are in 80_edges.sql.
insert into audit.security_contexts (id, user_id, scope, target_user_id, reason, elevated_by, started_at, expires_at, revoked_at)
values
  (
    '00000000-0000-4000-8000-000000007001', '00000000-0000-4000-8000-00000000a019', 'phi_read',
    '00000000-0000-4000-8000-00000000a003', 'open for the access tests', '00000000-0000-4000-8000-00000000a019',
    now(), now() + interval '4 hours', null
  ),
  (
    '00000000-0000-4000-8000-000000007002', '00000000-0000-4000-8000-00000000a001', 'phi_read',
    '00000000-0000-4000-8000-00000000a003', 'expired long ago', '00000000-0000-4000-8000-00000000a001',
    '2026-01-05 08:00:00+00', '2026-01-05 09:00:00+00', null
  ),
  (
    '00000000-0000-4000-8000-000000007003', '00000000-0000-4000-8000-00000000a001', 'phi_read',
    '00000000-0000-4000-8000-00000000a007', 'given back at once', '00000000-0000-4000-8000-00000000a001',
    now() - interval '1 minute', now() + interval '3 hours', now()
  ),
  (
    '00000000-0000-4000-8000-000000007004', '00000000-0000-4000-8000-00000000a002', 'phi_read',
    '00000000-0000-4000-8000-00000000a003', 'of a person who is not a super admin', '00000000-0000-4000-8000-00000000a002',
    now() - interval '1 minute', now() + interval '3 hours', null
  ),
  (
    '00000000-0000-4000-8000-000000007005', '00000000-0000-4000-8000-00000000a001', 'tenant_support',
    '00000000-0000-4000-8000-00000000a007', 'opened for something else', '00000000-0000-4000-8000-00000000a001',
    now() - interval '1 minute', now() + interval '3 hours', null
  ),
  (
    '00000000-0000-4000-8000-000000007006', '00000000-0000-4000-8000-00000000a001', 'phi_read',
    '00000000-0000-4000-8000-00000000a007', 'has not begun yet', '00000000-0000-4000-8000-00000000a001',
    now() + interval '1 hour', now() + interval '3 hours', null
  );

insert into privacy.data_archive_log (id, schema_name, table_name, operation, status)
values ('00000000-0000-4000-8000-000000008201', 'audit', 'system_events', 'detach', 'completed')
on conflict do nothing;

insert into ops.job_runs (id, job_name, started_at, finished_at, status)
values (
  '00000000-0000-4000-8000-000000008301', 'ensure_partitions', '2026-01-05 08:00:00+00', '2026-01-05 08:00:01+00',
  'succeeded'
)
on conflict do nothing;

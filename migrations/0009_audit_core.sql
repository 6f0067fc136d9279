-- 0009 audit core
-- from: schema/audit/event_types.sql.j2, schema/audit/audit_log.sql.j2, schema/audit/seals.sql.j2, schema/audit/security_audit.sql.j2, schema/audit/system_events.sql.j2, schema/ops/_links.sql.j2
-- migrate:up

-- schema/audit/event_types.sql.j2

create table audit.event_types (
  id uuid not null default core.uuid_v7(),
  code text not null,
  name text not null,
  category text not null,
  is_sensitive boolean not null default false,
  requires_immediate_alert boolean not null default false,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint event_types_pkey primary key (id),
  constraint event_types_code_key unique (code),
  constraint event_types_code_check check (code ~ '^[a-z_]+\.[a-z_]+$' and length(code) <= 100),
  constraint event_types_name_check check (length(name) <= 200),
  constraint event_types_category_check check (category in ('security', 'business', 'system'))
);

comment on table audit.event_types is
  'The types of event. The code of functions refers to them by code, so rows are added by migrations and seeds only.';

comment on column audit.event_types.requires_immediate_alert is
  'Whether the event alerts the people on duty at any hour.';

alter table audit.event_types enable row level security;

revoke all on audit.event_types from public;

create trigger aa_touch
  before update on audit.event_types
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on audit.event_types
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

-- schema/audit/audit_log.sql.j2

create table audit.audit_log (
  id uuid not null default core.uuid_v7(),
  occurred_at timestamptz not null default now(),
  txid xid8 not null default pg_current_xact_id(),
  schema_name text not null,
  table_name text not null,
  row_pk jsonb not null,
  action audit.action not null,
  actor_id uuid,
  actor_role text not null default current_user,
  acting_for uuid,
  tenant_id uuid,
  subject_user_id uuid,
  changed_columns text[],
  old_values jsonb,
  new_values jsonb,
  session_id uuid,
  request_id uuid,
  ip_address inet,
  user_agent text,
  reason text,
  application_name text,
  constraint audit_log_pkey primary key (id, occurred_at),
  constraint audit_log_user_agent_check check (length(user_agent) <= 500),
  constraint audit_log_reason_check check (length(reason) <= 500)
) partition by range (occurred_at);

comment on table audit.audit_log is
  'The row changes. Append-only. No foreign keys, so that rows remain after erasure. Values of personal '
  'columns are masked before they are inserted.';

comment on column audit.audit_log.row_pk is 'The primary key of the row, as a JSON object.';

comment on column audit.audit_log.actor_id is 'The account that made the change; null for a job.';

comment on column audit.audit_log.actor_role is 'The role in the token, or the login role without a token.';

comment on column audit.audit_log.acting_for is 'The account on whose behalf the actor acted.';

comment on column audit.audit_log.subject_user_id is 'The person concerned by the row.';

comment on column audit.audit_log.ip_address is 'The network of the client, truncated to /24 or /48.';

-- The history of a table.
create index audit_log_table_occurred_at_idx
  on audit.audit_log (schema_name, table_name, occurred_at desc);

-- The history of a row.
create index audit_log_row_pk_idx
  on audit.audit_log using gin (row_pk jsonb_path_ops);

-- Changes by a person.
create index audit_log_actor_id_occurred_at_idx
  on audit.audit_log (actor_id, occurred_at desc)
  where actor_id is not null;

-- Changes of a person's data.
create index audit_log_subject_user_id_occurred_at_idx
  on audit.audit_log (subject_user_id, occurred_at desc)
  where subject_user_id is not null;

-- The audit page of a tenant.
create index audit_log_tenant_id_occurred_at_idx
  on audit.audit_log (tenant_id, occurred_at desc)
  where tenant_id is not null;

-- The newest changes of the platform.
create index audit_log_occurred_at_idx
  on audit.audit_log (occurred_at desc);

alter table audit.audit_log enable row level security;

revoke all on audit.audit_log from public;

create trigger no_change
  before update or delete or truncate on audit.audit_log
  for each statement execute function audit.reject_change();

create trigger no_row_change
  before update or delete on audit.audit_log
  for each row execute function audit.reject_change();

select ops.ensure_partitions('audit.audit_log', every => 'month', keep => 13);

-- schema/audit/seals.sql.j2

create table audit.seals (
  id bigint not null generated always as identity,
  log_name text not null,
  window_start timestamptz not null,
  window_end timestamptz not null,
  row_count bigint not null,
  content_sha256 bytea not null,
  previous_seal bytea,
  seal bytea not null,
  sealed_at timestamptz not null default now(),
  constraint seals_pkey primary key (id),
  constraint seals_seal_key unique (seal),
  constraint seals_log_name_window_start_key unique (log_name, window_start),
  constraint seals_log_name_check check (log_name in ('audit_log', 'security_audit')),
  constraint seals_content_sha256_check check (octet_length(content_sha256) = 32),
  constraint seals_window_end_check check (window_end > window_start)
);

comment on table audit.seals is
  'Evidence against tampering: rows of a sealed window cannot be changed or removed without breaking the '
  'chain. Sealed by audit.seal_window() after they close, so that writers do not block each other.';

comment on column audit.seals.content_sha256 is 'Hash of the rows of the window, in the order of their keys.';

comment on column audit.seals.seal is 'Hash of the previous seal, the window and its content.';

alter table audit.seals enable row level security;

revoke all on audit.seals from public;

create trigger no_change
  before update or delete or truncate on audit.seals
  for each statement execute function audit.reject_change();

-- schema/audit/security_audit.sql.j2

create table audit.security_audit (
  id uuid not null default core.uuid_v7(),
  occurred_at timestamptz not null default now(),
  event_type_id uuid not null,
  user_id uuid,
  tenant_id uuid,
  action text not null,
  resource text,
  outcome text not null default 'success',
  risk_level audit.risk_level not null default 'low',
  aal text,
  ip_address inet,
  user_agent text,
  session_id uuid,
  request_id uuid,
  details jsonb not null default '{}',
  constraint security_audit_pkey primary key (id, occurred_at),
  constraint security_audit_action_check check (length(action) <= 100),
  constraint security_audit_resource_check check (length(resource) <= 200),
  constraint security_audit_user_agent_check check (length(user_agent) <= 500),
  constraint security_audit_details_check check (jsonb_typeof(details) = 'object' and pg_column_size(details) <= 8000),
  constraint security_audit_outcome_check check (outcome in ('success', 'failure', 'denied')),
  constraint security_audit_event_type_id_fkey foreign key (event_type_id)
    references audit.event_types (id) on delete restrict
) partition by range (occurred_at);

comment on table audit.security_audit is 'Security events. Append-only. Inserted by audit.log_security().';

comment on column audit.security_audit.user_id is
  'The account that caused the event, or that the event concerns.';

comment on column audit.security_audit.aal is
  'Authenticator assurance level of the session: aal1 with one factor, aal2 with two.';

comment on column audit.security_audit.ip_address is
  'The network of the client; the full address for risk level high and above.';

-- Security history of a person.
create index security_audit_user_id_occurred_at_idx
  on audit.security_audit (user_id, occurred_at desc)
  where user_id is not null;

-- Alert rules.
create index security_audit_event_type_id_occurred_at_idx
  on audit.security_audit (event_type_id, occurred_at desc);

-- The security page of a tenant.
create index security_audit_tenant_id_occurred_at_idx
  on audit.security_audit (tenant_id, occurred_at desc)
  where tenant_id is not null;

-- Events for the people on duty.
create index security_audit_high_risk_occurred_at_idx
  on audit.security_audit (occurred_at desc)
  where risk_level in ('high', 'critical');

-- The newest events of the platform.
create index security_audit_occurred_at_idx
  on audit.security_audit (occurred_at desc);

alter table audit.security_audit enable row level security;

revoke all on audit.security_audit from public;

create trigger no_change
  before update or delete or truncate on audit.security_audit
  for each statement execute function audit.reject_change();

create trigger no_row_change
  before update or delete on audit.security_audit
  for each row execute function audit.reject_change();

select ops.ensure_partitions('audit.security_audit', every => 'month', keep => 13);

-- schema/audit/system_events.sql.j2

create table audit.system_events (
  id uuid not null default core.uuid_v7(),
  occurred_at timestamptz not null default now(),
  event_type_id uuid not null,
  severity core.severity not null,
  resource_type text,
  resource_id uuid,
  tenant_id uuid,
  event_data jsonb not null default '{}',
  constraint system_events_pkey primary key (id, occurred_at),
  constraint system_events_resource_type_check check (length(resource_type) <= 200),
  constraint system_events_event_data_check check (
    jsonb_typeof(event_data) = 'object' and pg_column_size(event_data) <= 8000
  ),
  constraint system_events_event_type_id_fkey foreign key (event_type_id)
    references audit.event_types (id) on delete restrict
) partition by range (occurred_at);

comment on table audit.system_events is 'Events of the system itself, kept for 90 days. Append-only.';

-- The events of a type.
create index system_events_event_type_id_occurred_at_idx
  on audit.system_events (event_type_id, occurred_at desc);

-- Problems.
create index system_events_severity_occurred_at_idx
  on audit.system_events (severity, occurred_at desc)
  where severity in ('error', 'critical');

alter table audit.system_events enable row level security;

revoke all on audit.system_events from public;

create trigger no_change
  before update or delete or truncate on audit.system_events
  for each statement execute function audit.reject_change();

create trigger no_row_change
  before update or delete on audit.system_events
  for each row execute function audit.reject_change();

select ops.ensure_partitions('audit.system_events', every => 'day', keep => 90);

-- schema/ops/_links.sql.j2

-- The audit log is partitioned, so the table that describes partitions is created before it and audited after it.
-- Once the trigger exists, each new partitioned table writes to the log; its dependencies are listed here.
select from audit.audit_log, audit.caller(), audit.masked('{}', '{}'), audit.network_of(null) limit 0;

create trigger zz_audit
  after insert or update or delete on ops.partition_strategies
  for each row execute function audit.record_row('full', 'schema_name,table_name', '', '', '');

create trigger bz_partition
  after insert or update of status on ops.partition_metadata
  for each row execute function audit.record_partition();

create trigger bz_job_failed
  after insert or update of status on ops.job_runs
  for each row when (new.status = 'failed')
  execute function audit.record_job();

-- migrate:down

drop trigger bz_job_failed on ops.job_runs;
drop trigger bz_partition on ops.partition_metadata;
drop trigger zz_audit on ops.partition_strategies;

drop table
  audit.system_events,
  audit.security_audit,
  audit.seals,
  audit.audit_log,
  audit.event_types;

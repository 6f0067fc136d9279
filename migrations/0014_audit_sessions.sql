-- 0014 audit sessions
-- from: schema/audit/audit_policies.sql.j2, schema/audit/audit_triggers.sql.j2, schema/audit/row_level_policies.sql.j2, schema/audit/security_contexts.sql.j2, schema/audit/sessions.sql.j2
-- migrate:up

-- schema/audit/audit_policies.sql.j2

create table audit.audit_policies (
  schema_name text not null,
  table_name text not null,
  action audit.action not null,
  is_enabled boolean not null default true,
  track_old boolean not null default true,
  track_new boolean not null default true,
  excluded_columns text[] not null default '{}',
  sensitive_columns text[] not null default '{}',
  retention_days integer not null default 2555,
  compression text not null default 'none',
  compress_after_days integer,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint audit_policies_pkey primary key (schema_name, table_name, action),
  constraint audit_policies_retention_days_check check (retention_days > 0),
  constraint audit_policies_compression_check check (compression in ('none', 'gzip', 'lz4', 'zstd'))
);

comment on table audit.audit_policies is 'The declared audit mode of each table and action.';

comment on column audit.audit_policies.excluded_columns is 'Columns that are not recorded: generated columns.';

comment on column audit.audit_policies.sensitive_columns is 'Columns whose values are masked in the log.';

alter table audit.audit_policies enable row level security;

revoke all on audit.audit_policies from public;

create trigger aa_touch
  before update on audit.audit_policies
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on audit.audit_policies
  for each row execute function audit.record_row(
    'full',
    'schema_name,table_name,action',
    '',
    '',
    ''
  );

-- schema/audit/audit_triggers.sql.j2

create table audit.audit_triggers (
  schema_name text not null,
  table_name text not null,
  trigger_name text not null,
  timing text not null,
  events text[] not null,
  function_name text not null,
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint audit_triggers_pkey primary key (schema_name, table_name, trigger_name),
  constraint audit_triggers_timing_check check (timing in ('BEFORE', 'AFTER', 'INSTEAD OF'))
);

comment on table audit.audit_triggers is 'The declared triggers.';

comment on column audit.audit_triggers.is_enabled is 'False: the trigger exists and is disabled.';

alter table audit.audit_triggers enable row level security;

revoke all on audit.audit_triggers from public;

create trigger aa_touch
  before update on audit.audit_triggers
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on audit.audit_triggers
  for each row execute function audit.record_row(
    'full',
    'schema_name,table_name,trigger_name',
    '',
    '',
    ''
  );

-- schema/audit/row_level_policies.sql.j2

create table audit.row_level_policies (
  schema_name text not null,
  table_name text not null,
  policy_name text not null,
  command text not null,
  roles text[] not null,
  is_permissive boolean not null,
  using_sha256 bytea,
  check_sha256 bytea,
  description text not null,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint row_level_policies_pkey primary key (schema_name, table_name, policy_name),
  constraint row_level_policies_command_check check (command in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'ALL'))
);

comment on table audit.row_level_policies is 'The declared policies.';

comment on column audit.row_level_policies.using_sha256 is
  'Hash of the USING expression as printed by PostgreSQL; null without one.';

comment on column audit.row_level_policies.description is
  'A description of the roles and rows that the policy covers.';

alter table audit.row_level_policies enable row level security;

revoke all on audit.row_level_policies from public;

create trigger aa_touch
  before update on audit.row_level_policies
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on audit.row_level_policies
  for each row execute function audit.record_row(
    'full',
    'schema_name,table_name,policy_name',
    '',
    '',
    ''
  );

-- schema/audit/security_contexts.sql.j2

create table audit.security_contexts (
  id uuid not null default core.uuid_v7(),
  user_id uuid not null,
  tenant_id uuid,
  scope text not null,
  target_user_id uuid,
  reason text not null,
  ticket_ref text,
  elevated_by uuid,
  started_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  constraint security_contexts_pkey primary key (id),
  constraint security_contexts_scope_check check (
    scope in ('phi_read', 'tenant_support', 'impersonation', 'data_fix')
  ),
  constraint security_contexts_reason_check check (length(reason) between 10 and 500),
  constraint security_contexts_expires_at_check check (expires_at <= started_at + interval '4 hours')
);

comment on table audit.security_contexts is
  'Break-glass elevations: opened by audit.elevate(), read by the functions in authz. No foreign keys, so '
  'that rows remain after erasure.';

comment on column audit.security_contexts.user_id is 'The elevated person.';

comment on column audit.security_contexts.target_user_id is
  'The person whose data the elevation covers; required by scope phi_read.';

comment on column audit.security_contexts.revoked_at is
  'The time at which audit.end_elevation() ended the elevation before it expired.';

-- Policies: active elevations of a person.
create index security_contexts_user_id_scope_expires_at_idx
  on audit.security_contexts (user_id, scope, expires_at)
  where revoked_at is null;

alter table audit.security_contexts enable row level security;

revoke all on audit.security_contexts from public;

grant select on audit.security_contexts to aigym_authz;

create trigger zz_audit
  after insert or update or delete on audit.security_contexts
  for each row execute function audit.record_row(
    'full',
    'id',
    'user_id,target_user_id,elevated_by,reason',
    'user_id',
    'tenant_id'
  );

-- schema/audit/sessions.sql.j2

create table audit.sessions (
  session_id uuid not null,
  user_id uuid,
  ip_address inet,
  user_agent text,
  source text not null default 'web',
  aal text,
  started_at timestamptz not null default now(),
  last_activity_at timestamptz not null default now(),
  ended_at timestamptz,
  is_suspicious boolean not null default false,
  metadata jsonb not null default '{}',
  constraint sessions_pkey primary key (session_id),
  constraint sessions_source_check check (source in ('web', 'mobile_app', 'api', 'system')),
  constraint sessions_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade
);

comment on table audit.sessions is
  'A copy of auth.sessions that is kept after the sign-out. Data source of the page "sign out other devices".';

comment on column audit.sessions.session_id is 'The id of the session in auth.sessions.';

comment on column audit.sessions.aal is 'Authenticator assurance level: aal1 with one factor, aal2 with two.';

-- Sessions of a person; the foreign key to the person.
create index sessions_user_id_started_at_idx
  on audit.sessions (user_id, started_at desc);

-- Inactive sessions.
create index sessions_last_activity_at_idx
  on audit.sessions (last_activity_at)
  where ended_at is null;

-- Sessions by address.
create index sessions_ip_address_started_at_idx
  on audit.sessions (ip_address, started_at desc);

alter table audit.sessions enable row level security;

revoke all on audit.sessions from public;

-- migrate:down

drop table
  audit.sessions,
  audit.security_contexts,
  audit.row_level_policies,
  audit.audit_triggers,
  audit.audit_policies;

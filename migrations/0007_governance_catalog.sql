-- 0007 governance catalog
-- from: schema/core/data_catalog.sql.j2, schema/core/column_catalog.sql.j2, schema/core/integrity_rules.sql.j2, schema/privacy/data_lifecycle_policies.sql.j2, schema/privacy/data_archive_log.sql.j2, schema/privacy/retention_compliance.sql.j2
-- migrate:up

-- schema/core/data_catalog.sql.j2

create table core.data_catalog (
  schema_name text not null,
  table_name text not null,
  domain text not null,
  seed_origin text[] not null default '{}',
  tenancy text not null,
  owner_column text,
  tenant_column text,
  parent_table text,
  rls_archetype text not null,
  mfa_level text not null,
  data_class text not null,
  gdpr_export boolean not null default false,
  gdpr_rule privacy.gdpr_rule not null,
  gdpr_basis privacy.legal_basis,
  retention_days integer,
  audit_mode text not null,
  is_soft_delete boolean not null default false,
  partition_spec text,
  expected_rows bigint,
  notes text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint data_catalog_pkey primary key (schema_name, table_name),
  constraint data_catalog_tenancy_check check (
    tenancy in ('global', 'tenant', 'owner', 'owner_tenant', 'child', 'system')
  ),
  constraint data_catalog_mfa_level_check check (mfa_level in ('none', 'enrolled', 'always')),
  constraint data_catalog_data_class_check check (
    data_class in ('public', 'internal', 'personal', 'special', 'secret')
  ),
  constraint data_catalog_audit_mode_check check (audit_mode in ('none', 'meta', 'diff', 'full'))
);

comment on table core.data_catalog is 'The declarations about each table, as on its card.';

comment on column core.data_catalog.tenancy is
  'The owner of the rows: all, a tenant, a person, the parent row or the system.';

comment on column core.data_catalog.rls_archetype is 'The archetype that defines the policies of the table.';

comment on column core.data_catalog.data_class is 'The most sensitive class among the columns of the table.';

comment on column core.data_catalog.retention_days is
  'Retention of a row in days; null: as long as its owner, tenant or parent.';

comment on column core.data_catalog.partition_spec is
  'The partitioning of the table, e.g. `range occurred_at month keep 84`; null if it is not partitioned.';

alter table core.data_catalog enable row level security;

revoke all on core.data_catalog from public;

create trigger aa_touch
  before update on core.data_catalog
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on core.data_catalog
  for each row execute function audit.record_row(
    'full',
    'schema_name,table_name',
    '',
    '',
    ''
  );

-- schema/core/column_catalog.sql.j2

create table core.column_catalog (
  schema_name text not null,
  table_name text not null,
  column_name text not null,
  data_class text not null,
  mask_rule text not null default 'none',
  export_label text,
  in_audit boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint column_catalog_pkey primary key (schema_name, table_name, column_name),
  constraint column_catalog_data_class_check check (
    data_class in ('public', 'internal', 'personal', 'special', 'secret')
  ),
  constraint column_catalog_mask_rule_check check (
    mask_rule in ('none', 'null', 'constant', 'hash', 'truncate_ip', 'year_only', 'redact_text', 'reencrypt')
  ),
  constraint column_catalog_table_fkey foreign key (schema_name, table_name)
    references core.data_catalog (schema_name, table_name) on delete cascade
);

comment on table core.column_catalog is 'The sensitivity of each column and its anonymised value.';

comment on column core.column_catalog.export_label is
  'The heading of this column in an export of a person''s data.';

comment on column core.column_catalog.in_audit is
  'Whether the audit log can contain the value; false: it is masked.';

alter table core.column_catalog enable row level security;

revoke all on core.column_catalog from public;

create trigger aa_touch
  before update on core.column_catalog
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on core.column_catalog
  for each row execute function audit.record_row(
    'full',
    'schema_name,table_name,column_name',
    '',
    '',
    ''
  );

-- schema/core/integrity_rules.sql.j2

create table core.integrity_rules (
  id uuid not null default core.uuid_v7(),
  source_table regclass not null,
  target_table regclass not null,
  on_delete text not null,
  is_enforced boolean not null default true,
  priority smallint not null default 100,
  note text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint integrity_rules_pkey primary key (id),
  constraint integrity_rules_source_table_target_table_key unique (source_table, target_table),
  constraint integrity_rules_on_delete_check check (
    on_delete in ('set_null', 'cascade', 'restrict', 'set_invalid', 'archive')
  ),
  constraint integrity_rules_priority_check check (priority between 1 and 1000)
);

comment on table core.integrity_rules is
  'The declared rule of each reference; the rule that PostgreSQL enforces is in the catalog.';

comment on column core.integrity_rules.source_table is 'The referencing table.';

comment on column core.integrity_rules.target_table is 'The referenced table.';

alter table core.integrity_rules enable row level security;

revoke all on core.integrity_rules from public;

create trigger aa_touch
  before update on core.integrity_rules
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on core.integrity_rules
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

-- schema/privacy/data_lifecycle_policies.sql.j2

create table privacy.data_lifecycle_policies (
  id uuid not null default core.uuid_v7(),
  schema_name text not null,
  table_name text not null,
  data_tier text not null,
  age_threshold_days integer not null,
  lifecycle_action text not null,
  compression text,
  archive_location text,
  requires_approval boolean not null default false,
  config jsonb not null default '{}',
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint data_lifecycle_policies_pkey primary key (id),
  constraint data_lifecycle_policies_table_data_tier_key unique (schema_name, table_name, data_tier),
  constraint data_lifecycle_policies_data_tier_check check (
    data_tier in ('hot', 'warm', 'cold', 'archive', 'delete')
  ),
  constraint data_lifecycle_policies_age_threshold_days_check check (age_threshold_days > 0),
  constraint data_lifecycle_policies_lifecycle_action_check check (
    lifecycle_action in ('move_to_warm', 'move_to_cold', 'compress', 'archive', 'delete', 'anonymise', 'detach')
  ),
  constraint data_lifecycle_policies_compression_check check (compression in ('gzip', 'lz4', 'zstd', 'brotli'))
);

comment on table privacy.data_lifecycle_policies is
  'The storage tiers of rows by age: hot, warm, cold, archive, deleted.';

comment on column privacy.data_lifecycle_policies.age_threshold_days is
  'The age in days from which the action is due.';

comment on column privacy.data_lifecycle_policies.requires_approval is
  'Whether a person must approve the action before it is executed.';

alter table privacy.data_lifecycle_policies enable row level security;

revoke all on privacy.data_lifecycle_policies from public;

create trigger aa_touch
  before update on privacy.data_lifecycle_policies
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on privacy.data_lifecycle_policies
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

-- schema/privacy/data_archive_log.sql.j2

create table privacy.data_archive_log (
  id uuid not null default core.uuid_v7(),
  policy_id uuid,
  schema_name text not null,
  table_name text not null,
  partition_name text,
  operation text not null,
  status text not null,
  rows_affected bigint not null default 0,
  size_before_bytes bigint not null default 0,
  size_after_bytes bigint not null default 0,
  archive_uri text,
  archive_sha256 bytea,
  details text,
  failure_reason text,
  started_at timestamptz not null default now(),
  completed_at timestamptz,
  executed_by text not null default session_user,
  constraint data_archive_log_pkey primary key (id),
  constraint data_archive_log_operation_check check (
    operation in ('compress', 'archive', 'delete', 'anonymise', 'detach', 'drop', 'move')
  ),
  constraint data_archive_log_status_check check (
    status in ('scheduled', 'in_progress', 'completed', 'failed', 'cancelled')
  ),
  constraint data_archive_log_rows_affected_check check (rows_affected >= 0),
  constraint data_archive_log_policy_id_fkey foreign key (policy_id)
    references privacy.data_lifecycle_policies (id) on delete set null
);

comment on table privacy.data_archive_log is 'The archived and dropped partitions, as evidence.';

comment on column privacy.data_archive_log.archive_sha256 is
  'Hash of the archive file, recorded by ops.record_archive().';

comment on column privacy.data_archive_log.executed_by is 'The login role that executed the action.';

-- The lifecycle history of a table.
create index data_archive_log_table_started_at_idx
  on privacy.data_archive_log (schema_name, table_name, started_at desc);

create index data_archive_log_policy_id_idx
  on privacy.data_archive_log (policy_id)
  where policy_id is not null;

alter table privacy.data_archive_log enable row level security;

revoke all on privacy.data_archive_log from public;

-- schema/privacy/retention_compliance.sql.j2

create table privacy.retention_compliance (
  regulation text not null,
  schema_name text not null,
  table_name text not null,
  min_retention_days integer not null default 0,
  max_retention_days integer,
  requires_user_consent boolean not null default false,
  allows_anonymisation boolean not null default true,
  requires_deletion_proof boolean not null default false,
  notes text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint retention_compliance_pkey primary key (regulation, schema_name, table_name),
  constraint retention_compliance_regulation_check check (
    regulation in ('gdpr', 'ccpa', 'hipaa', 'soc2', 'sox', 'custom')
  ),
  constraint retention_compliance_min_retention_days_check check (min_retention_days >= 0),
  constraint retention_compliance_max_retention_days_check check (max_retention_days >= min_retention_days)
);

comment on table privacy.retention_compliance is
  'The minimum and maximum retention that a regulation requires; core.data_catalog contains the actual '
  'retention.';

comment on column privacy.retention_compliance.max_retention_days is 'Null: the regulation defines no maximum.';

alter table privacy.retention_compliance enable row level security;

revoke all on privacy.retention_compliance from public;

create trigger aa_touch
  before update on privacy.retention_compliance
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on privacy.retention_compliance
  for each row execute function audit.record_row(
    'full',
    'regulation,schema_name,table_name',
    '',
    '',
    ''
  );

-- migrate:down

drop table
  privacy.retention_compliance,
  privacy.data_archive_log,
  privacy.data_lifecycle_policies,
  core.integrity_rules,
  core.column_catalog,
  core.data_catalog;

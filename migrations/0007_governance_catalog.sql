-- 0007 governance catalog
-- from: schema/privacy/data_archive_log.sql.j2
-- migrate:up

-- schema/privacy/data_archive_log.sql.j2

create table privacy.data_archive_log (
  id uuid not null default core.uuid_v7(),
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
  constraint data_archive_log_rows_affected_check check (rows_affected >= 0)
);

comment on table privacy.data_archive_log is 'The archived and dropped partitions, as evidence.';

comment on column privacy.data_archive_log.archive_sha256 is
  'Hash of the archive file, recorded by ops.record_archive().';

comment on column privacy.data_archive_log.executed_by is 'The login role that executed the action.';

-- The lifecycle history of a table.
create index data_archive_log_table_started_at_idx
  on privacy.data_archive_log (schema_name, table_name, started_at desc);

alter table privacy.data_archive_log enable row level security;

revoke all on privacy.data_archive_log from public;

-- migrate:down

drop table privacy.data_archive_log;

-- 0004 shared types
-- from: schema/core/_types.sql.j2, schema/privacy/data_archive_log.sql.j2, schema/ops/job_runs.sql.j2, schema/ops/partition_strategies.sql.j2, schema/ops/partition_metadata.sql.j2, schema/ops/_functions/add_partition.sql.j2, schema/ops/_functions/ensure_partitions.sql.j2, schema/ops/_functions/ensure_all_partitions.sql.j2, schema/ops/_functions/record_archive.sql.j2, schema/ops/_functions/record_partitions.sql.j2, schema/ops/_functions/ensure_hash_partitions.sql.j2, schema/ops/_functions/set_retention.sql.j2, schema/audit/_types.sql.j2, schema/audit/_functions/address_or_null.sql.j2, schema/audit/_functions/caller.sql.j2, schema/audit/_functions/elevate.sql.j2, schema/audit/_functions/end_elevation.sql.j2, schema/audit/_functions/log_security.sql.j2, schema/audit/_functions/log_system.sql.j2, schema/audit/_functions/masked.sql.j2, schema/audit/_functions/network_of.sql.j2, schema/audit/_functions/record_direct_change.sql.j2, schema/audit/_functions/record_job.sql.j2, schema/audit/_functions/record_partition.sql.j2, schema/audit/_functions/record_row.sql.j2, schema/audit/event_types.sql.j2, schema/audit/_functions/reject_change.sql.j2, schema/audit/audit_log.sql.j2, schema/audit/seals.sql.j2, schema/audit/security_audit.sql.j2, schema/audit/system_events.sql.j2, schema/audit/_functions/trusted_proxies.sql.j2, schema/audit/_functions/uuid_or_null.sql.j2, schema/ops/_links.sql.j2, schema/iam/_types.sql.j2, schema/iam/account_failures.sql.j2, schema/iam/profiles.sql.j2, schema/audit/sessions.sql.j2, schema/iam/profile_private.sql.j2, schema/iam/user_preferences.sql.j2, schema/iam/_functions/address_of.sql.j2, schema/iam/_functions/create_profile.sql.j2, schema/iam/_functions/record_account_failure.sql.j2, schema/ai/_types.sql.j2, schema/content/_types.sql.j2
-- migrate:up

-- schema/core/_types.sql.j2

-- Domains, not enums: row-level security lets only leakproof operators use an index, and no operator of an enum is.
create domain core.visibility_level as text
  constraint visibility_level_check check (value in ('private', 'tenant', 'public'));

comment on domain core.visibility_level is
  'Who can read a row besides its owner: no other person, the members of its tenant, or all people.';

create domain core.severity as text
  constraint severity_check check (value in ('info', 'warning', 'error', 'critical'));

comment on domain core.severity is 'The severity of an event.';

create domain core.http_url as text
  constraint http_url_check check (
    length(value) <= 2000
    and value ~ '^https?://[^/?#[:space:][:cntrl:]@\\]+([/?#][^[:space:][:cntrl:]]*)?$'
  );

comment on domain core.http_url is 'An http or https URL with a host and without credentials, of at most 2,000 characters.';

-- AT TIME ZONE raises invalid_parameter_value if the server has no such time zone. The pattern rejects abbreviations and
-- POSIX specifications, which AT TIME ZONE accepts, too.
create domain core.time_zone as text
  constraint time_zone_check check (
    length(value) <= 64
    and value ~ '^(UTC|[A-Z][A-Za-z_]+/[A-Za-z0-9_+/-]+)$'
    and (now() at time zone value) is not null
  );

comment on domain core.time_zone is 'A time zone of the server in the form Area/Location, or UTC.';

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

-- schema/ops/job_runs.sql.j2

create table ops.job_runs (
  id uuid not null default core.uuid_v7(),
  job_name text not null,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  status text not null default 'running',
  details jsonb not null default '{}',
  error text,
  constraint job_runs_pkey primary key (id),
  constraint job_runs_status_check check (status in ('running', 'succeeded', 'failed', 'skipped'))
);

comment on table ops.job_runs is 'The runs of the maintenance jobs.';

-- A job has at most one current run.
create unique index job_runs_running_key
  on ops.job_runs (job_name)
  where status = 'running';

-- The last run of a job.
create index job_runs_job_name_started_at_idx
  on ops.job_runs (job_name, started_at desc);

alter table ops.job_runs enable row level security;

revoke all on ops.job_runs from public;

-- schema/ops/partition_strategies.sql.j2

-- Its audit trigger is in ops/_links.sql.j2: the audit log is itself partitioned and needs this table first.
create table ops.partition_strategies (
  schema_name text not null,
  table_name text not null,
  partition_type text not null,
  partition_key text not null,
  partition_interval text,
  modulus integer,
  premake integer not null default 13,
  retention interval,
  auto_create boolean not null default true,
  auto_detach boolean not null default true,
  auto_drop boolean not null default false,
  archive_before_drop boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint partition_strategies_pkey primary key (schema_name, table_name),
  constraint partition_strategies_partition_type_check check (partition_type in ('range', 'hash', 'list')),
  constraint partition_strategies_partition_interval_check check (
    partition_interval in ('day', 'week', 'month', 'year')
  ),
  constraint partition_strategies_modulus_check check (modulus > 0),
  constraint partition_strategies_premake_check check (premake >= 1),
  constraint partition_strategies_logs_check check (
    (schema_name, table_name) not in (('audit', 'audit_log'), ('audit', 'security_audit'))
    or coalesce(timestamp '2000-01-01' + retention >= timestamp '2001-02-01', true) and archive_before_drop
  )
);

comment on table ops.partition_strategies is
  'One row per partitioned table, written by ops.ensure_partitions() from its card.';

comment on column ops.partition_strategies.premake is
  'Number of intervals after the current one that must have a partition.';

comment on column ops.partition_strategies.retention is
  'How long a partition stays attached after its upper bound; null: without limit.';

comment on constraint partition_strategies_logs_check on ops.partition_strategies is
  'The logs of row changes and security events must exist for six years: 13 months in attached partitions, and '
  'no partition is dropped without an archive.';

comment on column ops.partition_strategies.auto_drop is
  'Whether `aigym-db partitions apply` drops a partition a week after it was detached.';

comment on column ops.partition_strategies.archive_before_drop is
  'Whether a partition is dropped only after its archive has a hash in privacy.data_archive_log.';

alter table ops.partition_strategies enable row level security;

revoke all on ops.partition_strategies from public;

create trigger aa_touch
  before update on ops.partition_strategies
  for each row execute function core.touch();

-- schema/ops/partition_metadata.sql.j2

create table ops.partition_metadata (
  schema_name text not null,
  table_name text not null,
  partition_name text not null,
  lower_bound text,
  upper_bound text,
  row_estimate bigint not null default 0,
  size_bytes bigint not null default 0,
  status text not null default 'active',
  created_at timestamptz not null default now(),
  detached_at timestamptz,
  constraint partition_metadata_pkey primary key (schema_name, table_name, partition_name),
  constraint partition_metadata_status_check check (
    status in ('active', 'detached', 'archived', 'dropped')
  ),
  constraint partition_metadata_table_fkey foreign key (schema_name, table_name)
    references ops.partition_strategies (schema_name, table_name) on delete cascade
);

comment on table ops.partition_metadata is
  'The state of each partition: active, detached, archived, dropped.';

comment on column ops.partition_metadata.partition_name is 'The name of the partition in the schema parts.';

comment on column ops.partition_metadata.upper_bound is
  'The exclusive upper bound in UTC; null for a hash partition and for the overflow partition.';

alter table ops.partition_metadata enable row level security;

revoke all on ops.partition_metadata from public;

-- schema/ops/_functions/add_partition.sql.j2

-- The table is created separately and attached: ATTACH PARTITION does not block reads and writes of the parent,
-- `create table … partition of` does. A partition inherits neither row-level security nor grants, so both are set here.
create function ops.add_partition(parent regclass, suffix text, bounds text)
returns boolean
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  partition_name text;
begin
  if not exists (select from pg_catalog.pg_partitioned_table where partrelid = parent) then
    raise exception '% is not partitioned', parent
      using errcode = 'wrong_object_type',
            hint = 'Create it with a PARTITION BY clause.';
  end if;

  select namespace.nspname || '__' || class.relname || '_' || suffix
  into partition_name
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where class.oid = parent;

  if exists (
    select
    from pg_catalog.pg_inherits
    where inhrelid = to_regclass(format('parts.%I', partition_name))
      and inhparent = parent
  ) then
    return false;
  end if;

  if to_regclass(format('parts.%I', partition_name)) is not null then
    raise exception 'parts.% exists and is not a partition of %', partition_name, parent
      using errcode = 'duplicate_table',
            hint = 'Attach it again, or archive and drop it.';
  end if;

  execute format(
    'create table parts.%I (like %s including all excluding indexes excluding identity)',
    partition_name, parent
  );
  execute format('alter table parts.%I enable row level security', partition_name);
  execute format('revoke all on table parts.%I from public', partition_name);
  -- allow definer-dynamic-sql: the bounds come from the functions of this schema, which alone can execute it
  execute format('alter table %s attach partition parts.%I for values %s', parent, partition_name, bounds);

  return true;
end
$$;

comment on function ops.add_partition(regclass, text, text) is
  'Attaches a new, empty partition and returns true, or false if the partition exists. Raises duplicate_table '
  'if a table of this name is not a partition of the parent. For the functions of this schema.';

revoke execute on function ops.add_partition(regclass, text, text) from public;

-- schema/ops/_functions/ensure_partitions.sql.j2

-- The overflow partition follows the last interval and ends at MAXVALUE: a row whose time has no partition of its own
-- is stored in it, and no statement fails. It is no DEFAULT partition, which forbids DETACH CONCURRENTLY. New intervals
-- need its range, so an empty one is dropped and created again; `aigym-db partitions apply` moves the rows of another.
-- Partitions are created before the metadata is updated: the audit log, which records its changes, is partitioned.
create function ops.ensure_partitions(
  parent regclass,
  every text,
  keep integer default null,
  ahead integer default null,
  since timestamptz default null,
  as_of timestamptz default now()
)
returns integer
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  width constant interval := ('1 ' || every)::interval;
  premade constant integer := coalesce(ahead, case every when 'day' then 60 else 13 end);
  overflow regclass;
  overflow_begins timestamptz;
  has_rows boolean;
  lower_bound timestamp;
  missing timestamp[];
begin
  -- Serializes concurrent calls, which would create the same partition twice.
  perform pg_advisory_xact_lock('ops.partition_strategies'::regclass::oid::integer, parent::oid::integer);

  select inherits.inhrelid, (regexp_match(bounds.text, 'FROM \(''([^'']+)''\)'))[1]
  into overflow, overflow_begins
  from pg_catalog.pg_inherits as inherits
  join pg_catalog.pg_class as child on child.oid = inherits.inhrelid
  cross join lateral pg_get_expr(child.relpartbound, child.oid) as bounds (text)
  where inherits.inhparent = parent
    and bounds.text like '% TO (MAXVALUE)';

  select array_agg(series.lower_bound order by series.lower_bound)
  into missing
  from generate_series(
    date_trunc(every, least(since, as_of, overflow_begins)::timestamp),
    date_trunc(every, as_of::timestamp) + premade * width,
    width
  ) as series (lower_bound)
  where not exists (
    select
    from pg_catalog.pg_inherits as inherits
    join pg_catalog.pg_class as child on child.oid = inherits.inhrelid
    cross join lateral pg_get_expr(child.relpartbound, child.oid) as bounds (text)
    where inherits.inhparent = parent
      and (regexp_match(bounds.text, 'FROM \(''([^'']+)''\)'))[1]::timestamptz <= series.lower_bound
      and (regexp_match(bounds.text, 'TO \(''([^'']+)''\)'))[1]::timestamptz > series.lower_bound
  );

  if overflow is not null and missing[cardinality(missing)] >= overflow_begins then
    -- Rows that arrive until the end of the transaction wait for it.
    execute format('lock table %s in access exclusive mode', parent);
    -- allow definer-dynamic-sql: the text of a regclass is quoted
    execute format('select exists (select from %s)', overflow) into has_rows;

    if has_rows then
      raise warning 'the overflow partition % contains rows', overflow
        using hint = 'Run `aigym-db partitions apply`, which moves them to partitions of their own.';
      missing := array(select bound from unnest(missing) as bound where bound < overflow_begins);
    else
      -- allow definer-dynamic-sql: the text of a regclass is quoted
      execute format('drop table %s', overflow);
      overflow := null;
    end if;
  end if;

  foreach lower_bound in array coalesce(missing, '{}')
  loop
    perform ops.add_partition(
      parent,
      suffix => 'p' || to_char(
        lower_bound, case every when 'year' then 'YYYY' when 'month' then 'YYYYMM' else 'YYYYMMDD' end
      ),
      bounds => format(
        'from (%L) to (%L)',
        to_char(lower_bound, 'YYYY-MM-DD') || ' 00:00:00+00',
        to_char(lower_bound + width, 'YYYY-MM-DD') || ' 00:00:00+00'
      )
    );
  end loop;

  if overflow is null then
    perform ops.add_partition(
      parent,
      suffix => 'overflow',
      bounds => format(
        'from (%L) to (maxvalue)',
        to_char(date_trunc(every, as_of::timestamp) + (premade + 1) * width, 'YYYY-MM-DD') || ' 00:00:00+00'
      )
    );
  end if;

  insert into ops.partition_strategies as known (
    schema_name, table_name, partition_type, partition_key, partition_interval, premake, retention
  )
  select
    namespace.nspname,
    class.relname,
    'range',
    attribute.attname,
    every,
    premade,
    keep * width
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  join pg_catalog.pg_partitioned_table as partitioned on partitioned.partrelid = class.oid
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = class.oid and attribute.attnum = partitioned.partattrs[0]
  where class.oid = parent
  on conflict (schema_name, table_name) do update
  set
    partition_interval = excluded.partition_interval,
    premake = coalesce(ahead, known.premake),
    retention = coalesce(excluded.retention, known.retention)
  where (known.partition_interval, known.premake, known.retention) is distinct from (
    excluded.partition_interval,
    coalesce(ahead, known.premake),
    coalesce(excluded.retention, known.retention)
  );

  perform ops.record_partitions(parent);

  return count(*) from pg_catalog.pg_inherits where inhparent = parent;
end
$$;

comment on function ops.ensure_partitions(regclass, text, integer, integer, timestamptz, timestamptz) is
  'Creates the partitions of a table from `since` (default: the current interval) to `ahead` intervals after '
  'the current one, to be kept attached for `keep` intervals, and an overflow partition after them. Returns the '
  'number attached. Default of `ahead`: 60 days, or 13 of longer intervals; of `keep`: unchanged. Idempotent.';

revoke execute on function ops.ensure_partitions(regclass, text, integer, integer, timestamptz, timestamptz) from public;

-- schema/ops/_functions/ensure_all_partitions.sql.j2

create function ops.ensure_all_partitions()
returns table (
  partitioned_table text,
  attached integer
)
language sql
volatile
security definer
set search_path = ''
begin atomic
  select
    format('%I.%I', strategy.schema_name, strategy.table_name),
    ops.ensure_partitions(
      format('%I.%I', strategy.schema_name, strategy.table_name)::regclass,
      every => strategy.partition_interval,
      ahead => strategy.premake
    )
  from ops.partition_strategies as strategy
  where strategy.partition_type = 'range'
    and strategy.auto_create
    and to_regclass(format('%I.%I', strategy.schema_name, strategy.table_name)) is not null
  order by 1;
end;

comment on function ops.ensure_all_partitions() is
  'Creates the partitions that range-partitioned tables need next. For a nightly job.';

revoke execute on function ops.ensure_all_partitions() from public;

grant execute on function ops.ensure_all_partitions() to aigym_job;

-- schema/ops/_functions/record_archive.sql.j2

create function ops.record_archive(parent regclass, partition text, row_count bigint, uri text, sha256 bytea)
returns void
language sql
volatile
security definer
set search_path = ''
begin atomic
  insert into privacy.data_archive_log (
    schema_name, table_name, partition_name, operation, status, rows_affected, archive_uri, archive_sha256, completed_at
  )
  select
    namespace.nspname,
    class.relname,
    record_archive.partition,
    'archive',
    'completed',
    record_archive.row_count,
    record_archive.uri,
    record_archive.sha256,
    now()
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where class.oid = parent;
end;

comment on function ops.record_archive(regclass, text, bigint, text, bytea) is
  'Records the archive of a detached partition and its hash. Called by `aigym-db partitions apply`.';

revoke execute on function ops.record_archive(regclass, text, bigint, text, bytea) from public;

-- schema/ops/_functions/record_partitions.sql.j2

-- UTC, so that the text of bounds does not depend on the session.
create function ops.record_partitions(parent regclass)
returns void
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
  insert into ops.partition_metadata as known (
    schema_name, table_name, partition_name, lower_bound, upper_bound, row_estimate, size_bytes
  )
  select
    parent_namespace.nspname,
    parent_class.relname,
    child.relname,
    (regexp_match(bounds.text, 'FROM \(''([^'']+)''\)'))[1],
    (regexp_match(bounds.text, 'TO \(''([^'']+)''\)'))[1],
    greatest(child.reltuples, 0)::bigint,
    pg_total_relation_size(child.oid)
  from pg_catalog.pg_inherits as inherits
  join pg_catalog.pg_class as child on child.oid = inherits.inhrelid
  join pg_catalog.pg_class as parent_class on parent_class.oid = inherits.inhparent
  join pg_catalog.pg_namespace as parent_namespace on parent_namespace.oid = parent_class.relnamespace
  cross join lateral pg_get_expr(child.relpartbound, child.oid) as bounds (text)
  where inherits.inhparent = parent
  on conflict (schema_name, table_name, partition_name) do update
  set
    lower_bound = excluded.lower_bound,
    upper_bound = excluded.upper_bound,
    row_estimate = excluded.row_estimate,
    size_bytes = excluded.size_bytes,
    status = 'active',
    detached_at = null
  where (known.lower_bound, known.upper_bound, known.row_estimate, known.size_bytes, known.status)
    is distinct from (
      excluded.lower_bound, excluded.upper_bound, excluded.row_estimate, excluded.size_bytes, 'active'
    );

  update ops.partition_metadata as known
  set
    status = case
      when to_regclass(format('parts.%I', known.partition_name)) is null then 'dropped'
      when exists (
        select
        from privacy.data_archive_log as archive
        where archive.schema_name = known.schema_name
          and archive.table_name = known.table_name
          and archive.partition_name = known.partition_name
          and archive.operation = 'archive'
          and archive.status = 'completed'
      ) then 'archived'
      else 'detached'
    end,
    detached_at = coalesce(known.detached_at, now())
  from pg_catalog.pg_class as parent_class
  join pg_catalog.pg_namespace as parent_namespace on parent_namespace.oid = parent_class.relnamespace
  where parent_class.oid = parent
    and known.schema_name = parent_namespace.nspname
    and known.table_name = parent_class.relname
    and known.status <> 'dropped'
    and not exists (
      select
      from pg_catalog.pg_inherits as inherits
      join pg_catalog.pg_class as child on child.oid = inherits.inhrelid
      where inherits.inhparent = parent
        and child.relname = known.partition_name
    );
end
$$;

comment on function ops.record_partitions(regclass) is
  'Updates ops.partition_metadata from the catalog: attached partitions, their sizes, and detached, archived and '
  'dropped ones. Called by the functions of this schema and by `aigym-db partitions apply`.';

revoke execute on function ops.record_partitions(regclass) from public;

-- schema/ops/_functions/ensure_hash_partitions.sql.j2

create function ops.ensure_hash_partitions(parent regclass, modulus integer)
returns integer
language sql
volatile
security definer
set search_path = ''
begin atomic
  select pg_advisory_xact_lock('ops.partition_strategies'::regclass::oid::integer, parent::oid::integer);

  select ops.add_partition(
    parent,
    suffix => 'h' || to_char(remainder, case when modulus > 100 then 'FM0000' else 'FM00' end),
    bounds => format('with (modulus %s, remainder %s)', modulus, remainder)
  )
  from generate_series(0, modulus - 1) as remainder;

  insert into ops.partition_strategies (
    schema_name, table_name, partition_type, partition_key, modulus, auto_create, auto_detach
  )
  select
    namespace.nspname,
    class.relname,
    'hash',
    attribute.attname,
    ensure_hash_partitions.modulus,
    false,
    false
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  join pg_catalog.pg_partitioned_table as partitioned on partitioned.partrelid = class.oid
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = class.oid and attribute.attnum = partitioned.partattrs[0]
  where class.oid = parent
  on conflict (schema_name, table_name) do nothing;

  select ops.record_partitions(parent);

  select count(*)::integer from pg_catalog.pg_inherits where inhparent = parent;
end;

comment on function ops.ensure_hash_partitions(regclass, integer) is
  'Creates missing hash partitions of a table and returns the number attached. They are never detached, '
  'because their rows are kept as long as the people exist.';

revoke execute on function ops.ensure_hash_partitions(regclass, integer) from public;

-- schema/ops/_functions/set_retention.sql.j2

create function ops.set_retention(partitioned_table text, kept_attached interval)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  before interval;
begin
  perform authz.assert_session('always');

  if not authz.is_super_admin() then
    raise exception 'only a super admin can change retention'
      using errcode = 'insufficient_privilege';
  end if;

  select strategy.retention
  into before
  from ops.partition_strategies as strategy
  where format('%s.%s', strategy.schema_name, strategy.table_name) = partitioned_table
  for update;

  if not found then
    raise exception '% has no partition strategy', partitioned_table
      using errcode = 'invalid_parameter_value';
  end if;

  -- Added to a date, because intervals are compared with months of 30 days: '-10000 months 301000 days' is positive.
  if kept_attached is null or timestamp '2000-01-01' + kept_attached < timestamp '2000-01-02' then
    raise exception 'the retention of % must be at least one day, not %', partitioned_table, kept_attached
      using errcode = 'invalid_parameter_value';
  end if;

  -- The constraint partition_strategies_logs_check rejects less than the minimum of the logs.
  update ops.partition_strategies as strategy
  set retention = kept_attached
  where format('%s.%s', strategy.schema_name, strategy.table_name) = partitioned_table;

  perform audit.log_security(
    'retention.changed',
    action => 'set_retention',
    resource => partitioned_table,
    risk => 'critical',
    details => jsonb_build_object('before', before, 'after', kept_attached)
  );
end
$$;

comment on function ops.set_retention(text, interval) is
  'Changes how long the partitions of a table stay attached. For super admins with a second factor; leaves a security '
  'event. Raises check_violation below the minimum of the logs.';

revoke all on function ops.set_retention(text, interval) from public;

grant execute on function ops.set_retention(text, interval) to authenticated;

-- schema/audit/_types.sql.j2

create domain audit.action as text
  constraint action_check check (value in ('insert', 'update', 'delete', 'soft_delete', 'restore'));

comment on domain audit.action is 'The kind of change to a row.';

-- An enum, because the order is compared; the functions that read the logs compare it as their owner.
create type audit.risk_level as enum ('low', 'medium', 'high', 'critical');

comment on type audit.risk_level is 'The severity of a security event.';

-- schema/audit/_functions/address_or_null.sql.j2

create function audit.address_or_null(value text)
returns inet
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return nullif(btrim(value), '')::inet;
exception
  when invalid_text_representation then
    return null;
end
$$;

comment on function audit.address_or_null(text) is
  'Converts a text to a network address; null if it is not one.';

revoke execute on function audit.address_or_null(text) from public;

-- schema/audit/_functions/caller.sql.j2

-- Claims are signed and trusted; headers and settings come from the client, so invalid values are omitted instead of
-- raising an error in the recorded statement. Called for every audited row, hence PL/pgSQL: its plans are cached.
--
-- Each proxy appends the address of its client to X-Forwarded-For, so the entry that the outermost trusted proxy wrote
-- is counted from the right; the client can write all entries to the left of it. The setting aigym.trusted_proxies is
-- the number of these proxies (default 1; 0: the header is ignored). A header with fewer entries came around a proxy.
create function audit.caller(
  out user_id uuid,
  out role_name text,
  out aal text,
  out session_id uuid,
  out acting_for uuid,
  out request_id uuid,
  out ip_address inet,
  out user_agent text,
  out reason text
)
language plpgsql
stable
set search_path = ''
as $$
declare
  claims constant jsonb := auth.jwt();
  headers constant jsonb := nullif(current_setting('request.headers', true), '');
  trusted_proxies constant integer := audit.trusted_proxies();
  forwarded text[];
begin
  user_id := auth.uid();
  role_name := coalesce(nullif(auth.role(), ''), session_user);
  aal := claims ->> 'aal';
  session_id := claims ->> 'session_id';
  acting_for := audit.uuid_or_null(current_setting('aigym.acting_for', true));
  request_id := audit.uuid_or_null(coalesce(current_setting('aigym.request_id', true), headers ->> 'x-request-id'));
  reason := left(nullif(current_setting('aigym.reason', true), ''), 500);
  ip_address := inet_client_addr();

  if headers is not null then
    user_agent := left(headers ->> 'user-agent', 500);
    forwarded := string_to_array(headers ->> 'x-forwarded-for', ',');

    if trusted_proxies > 0 and cardinality(forwarded) >= trusted_proxies then
      ip_address := coalesce(
        audit.address_or_null(forwarded[cardinality(forwarded) - trusted_proxies + 1]), ip_address
      );
    end if;
  end if;
end
$$;

comment on function audit.caller() is
  'The caller according to the token, the request headers and the connection. The address is the one that the '
  'outermost of the trusted proxies received the request from.';

revoke execute on function audit.caller() from public;

-- schema/audit/_functions/elevate.sql.j2

create function audit.elevate(
  scope text,
  reason text,
  target_user uuid default null,
  tenant uuid default null,
  ticket text default null,
  lasting interval default '1 hour'
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  opened uuid;
begin
  perform authz.assert_session('always');

  if not authz.is_super_admin() or not authz.may_on_platform('platform.elevate') then
    raise exception 'only a super admin with permission platform.elevate can open an elevation'
      using errcode = 'insufficient_privilege';
  end if;

  if scope = 'phi_read' and (target_user is null or target_user = auth.uid()) then
    raise exception 'an elevation of scope % requires another person as target_user', scope
      using errcode = 'invalid_parameter_value',
            hint = 'Pass target_user.';
  end if;

  if scope = 'tenant_support'
    and not exists (select from iam.tenants as t where t.id = elevate.tenant and t.deleted_at is null)
  then
    raise exception 'an elevation of scope % requires a tenant', scope
      using errcode = 'invalid_parameter_value',
            hint = 'Pass tenant.';
  end if;

  if lasting not between interval '1 minute' and interval '4 hours' then
    raise exception 'the duration of an elevation must be between one minute and four hours, not %', lasting
      using errcode = 'invalid_parameter_value';
  end if;

  insert into audit.security_contexts (
    user_id, tenant_id, scope, target_user_id, reason, ticket_ref, elevated_by, expires_at
  )
  values (
    auth.uid(), tenant, elevate.scope, target_user, core.safe_text(elevate.reason, 500), ticket, auth.uid(), now() + lasting
  )
  returning id into opened;

  perform audit.log_security(
    'elevation.opened',
    action => 'elevate',
    resource => scope,
    risk => 'critical',
    tenant => tenant,
    details => jsonb_build_object(
      'context', opened,
      'target_user', target_user,
      'ticket', ticket,
      'lasting', lasting
    )
  );

  return opened;
end
$$;

comment on function audit.elevate(text, text, uuid, uuid, text, interval) is
  'Opens a break-glass elevation: for a stated reason and at most four hours, a super admin with a second '
  'factor can read the personal rows of another person (scope phi_read) or administer one tenant (scope '
  'tenant_support). Returns the id of the elevation.';

revoke execute on function audit.elevate(text, text, uuid, uuid, text, interval) from public;

grant execute on function audit.elevate(text, text, uuid, uuid, text, interval) to authenticated;

-- schema/audit/_functions/end_elevation.sql.j2

create function audit.end_elevation(context uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  ended record;
begin
  perform authz.assert_session('always');

  update audit.security_contexts as elevation
  set revoked_at = now()
  where elevation.id = context
    and elevation.revoked_at is null
    and (elevation.user_id = auth.uid() or authz.is_super_admin())
  returning * into ended;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'elevation.ended',
    action => 'end_elevation',
    resource => ended.scope,
    risk => 'medium',
    tenant => ended.tenant_id,
    details => jsonb_build_object('context', ended.id, 'user', ended.user_id)
  );

  return true;
end
$$;

comment on function audit.end_elevation(uuid) is
  'Ends an elevation before it expires: the caller''s own or, for a super admin, any. Returns false if there '
  'is no active elevation with this id.';

revoke execute on function audit.end_elevation(uuid) from public;

grant execute on function audit.end_elevation(uuid) to authenticated;

-- schema/audit/_functions/log_security.sql.j2

-- Not executable through the API, because callers could forge events. Called by functions whose actions are recorded.
create function audit.log_security(
  event_code text,
  action text,
  resource text default null,
  outcome text default 'success',
  risk audit.risk_level default 'low',
  tenant uuid default null,
  details jsonb default '{}',
  person uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  event uuid;
  recorded uuid;
begin
  select event_type.id
  into event
  from audit.event_types as event_type
  where event_type.code = event_code;

  if event is null then
    raise exception 'event type % does not exist', event_code
      using errcode = 'no_data_found',
            hint = 'Add it to audit.event_types; the reference seed contains those that the functions use.';
  end if;

  insert into audit.security_audit (
    occurred_at,
    event_type_id,
    user_id,
    tenant_id,
    action,
    resource,
    outcome,
    risk_level,
    aal,
    ip_address,
    user_agent,
    session_id,
    request_id,
    details
  )
  select
    clock_timestamp(),
    event,
    coalesce(person, caller.user_id),
    tenant,
    left(log_security.action, 100),
    left(log_security.resource, 200),
    log_security.outcome,
    risk,
    caller.aal,
    case when risk >= 'high' then caller.ip_address else audit.network_of(caller.ip_address) end,
    caller.user_agent,
    caller.session_id,
    caller.request_id,
    coalesce(log_security.details, '{}')
  from audit.caller() as caller
  returning id into recorded;

  return recorded;
end
$$;

comment on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid) is
  'Inserts one event into audit.security_audit and returns its id. `person` is the account concerned '
  '(default: the caller).';

revoke execute on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid) from public;

grant execute on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid)
  to service_role, aigym_job;

-- schema/audit/_functions/log_system.sql.j2

-- Not executable through the API except by the service role. Called by triggers and jobs.
create function audit.log_system(
  event_code text,
  severity core.severity,
  details jsonb default '{}',
  resource_type text default null,
  resource_id uuid default null,
  tenant uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  event uuid;
  recorded uuid;
begin
  select event_type.id
  into event
  from audit.event_types as event_type
  where event_type.code = event_code;

  if event is null then
    raise exception 'event type % does not exist', event_code
      using errcode = 'no_data_found',
            hint = 'Add it to audit.event_types; the reference seed contains those that the functions use.';
  end if;

  insert into audit.system_events (
    occurred_at, event_type_id, severity, resource_type, resource_id, tenant_id, event_data
  )
  values (
    clock_timestamp(),
    event,
    log_system.severity,
    log_system.resource_type,
    log_system.resource_id,
    tenant,
    coalesce(details, '{}')
  )
  returning id into recorded;

  return recorded;
end
$$;

comment on function audit.log_system(text, core.severity, jsonb, text, uuid, uuid) is
  'Inserts one event into audit.system_events and returns its id.';

revoke execute on function audit.log_system(text, core.severity, jsonb, text, uuid, uuid) from public;

grant execute on function audit.log_system(text, core.severity, jsonb, text, uuid, uuid) to service_role, aigym_job;

-- schema/audit/_functions/masked.sql.j2

create function audit.masked(row_values jsonb, columns text[])
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select row_values || coalesce(
    (
      select jsonb_object_agg(hidden.name, '[masked]')
      from unnest(columns) as hidden (name)
      where row_values ? hidden.name
    ),
    '{}'
  )
$$;

comment on function audit.masked(jsonb, text[]) is
  'Returns the row with the values of these columns masked, including null values, because their absence is '
  'also information.';

revoke execute on function audit.masked(jsonb, text[]) from public;

-- schema/audit/_functions/network_of.sql.j2

create function audit.network_of(address inet)
returns inet
language sql
immutable
parallel safe
set search_path = ''
as $$
  select network(
    set_masklen(address, least(masklen(address), case family(address) when 4 then 24 else 48 end))
  )::inet
$$;

comment on function audit.network_of(inet) is 'The /24 (IPv4) or /48 (IPv6) network of an address.';

revoke execute on function audit.network_of(inet) from public;

-- schema/audit/_functions/record_direct_change.sql.j2

-- Functions that change privileges run as aigym_owner and record an event of their own, so the trigger fires for all
-- other roles only; see the macro privileges().
create function audit.record_direct_change()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  current_row constant jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
begin
  perform audit.log_security(
    'privilege.changed',
    action => lower(tg_op),
    resource => tg_table_schema || '.' || tg_table_name,
    risk => 'high',
    tenant => (current_row ->> case when tg_table_name = 'tenants' then 'id' else 'tenant_id' end)::uuid,
    details => jsonb_build_object('id', current_row -> 'id', 'role_id', current_row -> 'role_id'),
    person => (current_row ->> 'user_id')::uuid
  );

  return null;
end
$$;

comment on function audit.record_direct_change() is
  'Trigger bz_direct_change: records a change of privileges that was not made by a function of this database.';

revoke all on function audit.record_direct_change() from public;

-- schema/audit/_functions/record_job.sql.j2

create function audit.record_job()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform audit.log_system(
    'job.failed',
    severity => 'error',
    details => jsonb_build_object('job', new.job_name, 'started_at', new.started_at),
    resource_type => 'ops.job_runs',
    resource_id => new.id
  );

  return null;
end
$$;

comment on function audit.record_job() is 'Trigger bz_job_failed: records the failure of a job in audit.system_events.';

revoke all on function audit.record_job() from public;

-- schema/audit/_functions/record_partition.sql.j2

create function audit.record_partition()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- UPDATE OF fires for a column that is assigned, also with the same value.
  if tg_op = 'UPDATE' and new.status = old.status then
    return null;
  end if;

  -- Migrations create partitions before the reference rows are loaded: there is no event type yet.
  if not exists (select from audit.event_types) then
    return null;
  end if;

  perform audit.log_system(
    case new.status
      when 'active' then 'partition.created'
      when 'detached' then 'partition.detached'
      when 'archived' then 'partition.archived'
      else 'partition.dropped'
    end,
    severity => 'info',
    details => jsonb_build_object('partition', new.partition_name),
    resource_type => new.schema_name || '.' || new.table_name
  );

  return null;
end
$$;

comment on function audit.record_partition() is
  'Trigger bz_partition: records a new status of a partition in audit.system_events.';

revoke all on function audit.record_partition() from public;

-- schema/audit/_functions/record_row.sql.j2

-- Called by the trigger zz_audit with the mode, the key columns, the masked columns, the column of the person concerned,
-- the tenant column and the counters. The card of the table defines them; the macro audit() renders them.
--
--   meta   who changed which columns of which row
--   diff   and, of an update, the old and new values of the changed columns
--   full   and, of an update, the whole row before and after
--
-- Generated columns are left out: a search vector would contain the words of a masked column. An update that changes only
-- counters or the columns of the trigger aa_touch returns first, because chat performs one with each message.
create function audit.record_row()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  mode constant text := tg_argv[0];
  key_columns constant text[] := string_to_array(tg_argv[1], ',');
  masked_columns constant text[] := string_to_array(tg_argv[2], ',');
  subject_column constant text := nullif(tg_argv[3], '');
  tenant_column constant text := nullif(tg_argv[4], '');
  ignored_columns constant text[] :=
    array['updated_at', 'updated_by', 'row_version'] || string_to_array(tg_argv[5], ',');
  generated_columns text[];
  changed text[];
  old_row jsonb;
  new_row jsonb;
  current_row jsonb;
  key_values jsonb;
  change_kind audit.action;
  schema_name text := tg_table_schema;
  table_name text := tg_table_name;
  caller record;
begin
  if tg_op = 'UPDATE' then
    old_row := to_jsonb(old) - ignored_columns;
    new_row := to_jsonb(new) - ignored_columns;

    if new_row = old_row then
      return null;
    end if;
  end if;

  select coalesce(array_agg(attribute.attname::text), '{}')
  into generated_columns
  from pg_catalog.pg_attribute as attribute
  where attribute.attrelid = tg_relid
    and attribute.attgenerated <> '';

  if tg_op <> 'INSERT' then
    old_row := to_jsonb(old) - generated_columns;
  end if;

  if tg_op <> 'DELETE' then
    new_row := to_jsonb(new) - generated_columns;
  end if;

  if tg_op = 'UPDATE' then
    select array_agg(field.key order by field.key)
    into changed
    from jsonb_each(new_row) as field
    where field.value is distinct from old_row -> field.key
      and field.key <> all (ignored_columns);

    if changed is null then
      return null;
    end if;
  end if;

  change_kind := case
    when tg_op <> 'UPDATE' then lower(tg_op)
    when 'deleted_at' <> all (changed) then 'update'
    when old_row ->> 'deleted_at' is null then 'soft_delete'
    when new_row ->> 'deleted_at' is null then 'restore'
    else 'update'
  end;
  current_row := coalesce(new_row, old_row);

  select jsonb_object_agg(key_column, current_row -> key_column)
  into key_values
  from unnest(key_columns) as key_column;

  if mode = 'meta' then
    old_row := null;
    new_row := null;
  elsif mode = 'diff' and tg_op = 'UPDATE' then
    select
      jsonb_object_agg(changed_column, old_row -> changed_column),
      jsonb_object_agg(changed_column, new_row -> changed_column)
    into old_row, new_row
    from unnest(changed) as changed_column;
  end if;

  if masked_columns <> '{}' then
    old_row := audit.masked(old_row, masked_columns);
    new_row := audit.masked(new_row, masked_columns);
  end if;

  -- The trigger of a partitioned table fires on the partition; the log contains the name of the table.
  if tg_table_schema = 'parts' then
    select namespace.nspname, class.relname
    into schema_name, table_name
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.oid = pg_partition_root(tg_relid);
  end if;

  caller := audit.caller();

  insert into audit.audit_log (
    occurred_at,
    schema_name,
    table_name,
    row_pk,
    action,
    actor_id,
    actor_role,
    acting_for,
    tenant_id,
    subject_user_id,
    changed_columns,
    old_values,
    new_values,
    session_id,
    request_id,
    ip_address,
    user_agent,
    reason,
    application_name
  )
  values (
    clock_timestamp(),
    schema_name,
    table_name,
    key_values,
    change_kind,
    caller.user_id,
    caller.role_name,
    caller.acting_for,
    (current_row ->> tenant_column)::uuid,
    (current_row ->> subject_column)::uuid,
    changed,
    old_row,
    new_row,
    caller.session_id,
    caller.request_id,
    audit.network_of(caller.ip_address),
    caller.user_agent,
    caller.reason,
    current_setting('application_name')
  );

  return null;
end
$$;

comment on function audit.record_row() is 'Trigger: records the change of a row in audit.audit_log.';

revoke execute on function audit.record_row() from public;

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

-- schema/audit/_functions/reject_change.sql.j2

create function audit.reject_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception '%.% is append-only: % is not allowed', tg_table_schema, tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege',
          hint = 'Remove old rows by retention, which detaches whole partitions.';
end
$$;

comment on function audit.reject_change() is
  'Trigger: rejects UPDATE, DELETE and TRUNCATE of an append-only table, for every role.';

revoke execute on function audit.reject_change() from public;

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

-- schema/audit/_functions/trusted_proxies.sql.j2

create function audit.trusted_proxies()
returns integer
language sql
stable
parallel safe
set search_path = ''
as $$
  select case
    when current_setting('aigym.trusted_proxies', true) ~ '^[0-9]{1,2}$'
      then current_setting('aigym.trusted_proxies', true)::integer
    else 1
  end
$$;

comment on function audit.trusted_proxies() is
  'The number of proxies between a client and this server that append to X-Forwarded-For: the setting '
  'aigym.trusted_proxies of the database, default 1.';

revoke execute on function audit.trusted_proxies() from public;

-- schema/audit/_functions/uuid_or_null.sql.j2

-- Without SET search_path, so that PostgreSQL can inline it.
create function audit.uuid_or_null(value text)
returns uuid
language sql
immutable
parallel safe
as $$
  select case
    when value operator(pg_catalog.~*) '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then value::pg_catalog.uuid
  end
$$;

comment on function audit.uuid_or_null(text) is 'Converts a text to a uuid; null if it is not one.';

revoke execute on function audit.uuid_or_null(text) from public;

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

-- schema/iam/_types.sql.j2

-- Domains, not enums: row-level security lets only leakproof operators use an index, and no operator of an enum is.
create domain iam.tenant_kind as text
  constraint tenant_kind_check check (value in ('community', 'organization', 'institution'));

comment on domain iam.tenant_kind is 'The subtype table with the other columns of a tenant.';

create domain iam.tenant_status as text
  constraint tenant_status_check check (value in ('trial', 'active', 'suspended', 'closing'));

comment on domain iam.tenant_status is
  'The status of a tenant from sign-up to closure. A tenant that is neither on trial nor active is closed to its '
  'members.';

create domain iam.membership_status as text
  constraint membership_status_check check (value in ('pending', 'active', 'suspended', 'terminated'));

comment on domain iam.membership_status is
  'Only an active membership gives access to a tenant. A pending one waits for an admin.';

-- An enum, because functions compare its order; no client filters by it.
create type iam.role_tier as enum ('super_admin', 'community_admin', 'end_user');

comment on type iam.role_tier is
  'The three tiers that policies distinguish, from most to least powerful. Each named role belongs to one '
  'tier.';

create domain iam.unit_kind as text
  constraint unit_kind_check check (value in ('team', 'department', 'group'));

comment on domain iam.unit_kind is 'The kinds of unit; teams and departments are in one tree.';

create domain iam.grant_effect as text
  constraint grant_effect_check check (value in ('allow', 'deny'));

comment on domain iam.grant_effect is 'Deny takes precedence over allow.';

-- schema/iam/account_failures.sql.j2

create table iam.account_failures (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  step text not null,
  event_code text,
  sqlstate text not null,
  constraint_name text,
  occurred_at timestamptz not null default now(),
  repaired_at timestamptz,
  constraint account_failures_pkey primary key (id),
  constraint account_failures_step_check check (step in ('profile', 'email', 'factor')),
  constraint account_failures_event_code_check check ((event_code is not null) = (step = 'factor')),
  constraint account_failures_sqlstate_check check (length(sqlstate) = 5),
  constraint account_failures_constraint_name_check check (length(constraint_name) <= 63)
);

comment on table iam.account_failures is
  'Triggers on auth never raise: a sign-up, a change of address or a second factor succeeds, and what fails '
  'after it is listed here until iam.repair_profiles() has repaired it. Not partitioned and not audited, '
  'because a missing partition or the audit trigger can be the cause.';

comment on column iam.account_failures.step is
  'What failed: the profile of a new account, the copy of a changed address, the security event of a factor.';

comment on column iam.account_failures.event_code is 'The security event that was not recorded.';

comment on column iam.account_failures.sqlstate is
  'The error code. The message is not stored, because it can contain personal data.';

-- The foreign key to auth.users is in _links.
-- An account's failures; deleting an account.
create index account_failures_user_id_idx on iam.account_failures (user_id);

-- Failures that are not repaired, and for how long.
create index account_failures_occurred_at_idx
  on iam.account_failures (occurred_at)
  where repaired_at is null;

alter table iam.account_failures enable row level security;

revoke all on iam.account_failures from public;

-- Functions in authz read it.
grant select on iam.account_failures to aigym_authz;

-- schema/iam/profiles.sql.j2

create table iam.profiles (
  id uuid not null,
  email text not null,
  full_name text,
  display_name text,
  avatar_url core.http_url,
  job_title text,
  timezone core.time_zone not null default 'UTC',
  locale text not null default 'en-US',
  status text not null default 'active',
  visibility core.visibility_level not null default 'private',
  onboarding_completed boolean not null default false,
  mfa_required boolean not null default false,
  last_seen_at timestamptz,
  trial_ends_at timestamptz,
  erased_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  row_version integer not null default 1,
  constraint profiles_pkey primary key (id),
  constraint profiles_email_check check (length(email) <= 320 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  constraint profiles_full_name_check check (length(full_name) <= 200),
  constraint profiles_display_name_check check (length(display_name) <= 200),
  constraint profiles_job_title_check check (length(job_title) <= 200),
  constraint profiles_locale_check check (length(locale) <= 35 and locale ~ '^[A-Za-z0-9-]+$'),
  constraint profiles_status_check check (status in ('active', 'suspended', 'deactivated', 'erased'))
);

-- The foreign key to auth.users is in _links.
comment on table iam.profiles is 'One row per account of auth.users, created by iam.handle_new_auth_user().';

comment on column iam.profiles.email is
  'A copy of auth.users.email, so that reports need no access to auth. Not unique: an account with single '
  'sign-on can have the address of an account with a password. Column privileges hide it from other people.';

comment on column iam.profiles.status is
  'Any value but active revokes the person''s access to every table at once: see authz.session_ok().';

comment on column iam.profiles.mfa_required is
  'The person must use a second factor even if no role or tenant requires it.';

-- People by address; an erased person's row keeps a meaningless address.
create index profiles_lower_email_idx
  on iam.profiles (lower(email))
  where erased_at is null;

-- Inactive-user report and retention.
create index profiles_last_seen_at_idx
  on iam.profiles (last_seen_at desc)
  where status = 'active';

create trigger aa_touch
  before update on iam.profiles
  for each row execute function core.touch('row_version');

create trigger zz_audit
  after insert or update or delete on iam.profiles
  for each row execute function audit.record_row(
    'diff',
    'id',
    'email,full_name,display_name,avatar_url,job_title',
    'id',
    ''
  );

alter table iam.profiles enable row level security;

revoke all on iam.profiles from public;

-- Functions in authz read it.
grant select on iam.profiles to aigym_authz;

-- schema/audit/sessions.sql.j2

create table audit.sessions (
  session_id uuid not null,
  user_id uuid,
  ip_address inet,
  user_agent text,
  aal text,
  started_at timestamptz not null default now(),
  last_activity_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint sessions_pkey primary key (session_id),
  constraint sessions_user_agent_check check (length(user_agent) <= 500),
  constraint sessions_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade
);

comment on table audit.sessions is
  'A copy of auth.sessions that is kept after the sign-out. Data source of the page "sign out other devices".';

comment on column audit.sessions.session_id is 'The id of the session in auth.sessions.';

comment on column audit.sessions.aal is 'Authenticator assurance level: aal1 with one factor, aal2 with two.';

-- Sessions of a person; the foreign key to the person.
create index sessions_user_id_started_at_idx
  on audit.sessions (user_id, started_at desc);

-- Retention.
create index sessions_started_at_idx
  on audit.sessions (started_at);

alter table audit.sessions enable row level security;

revoke all on audit.sessions from public;

-- schema/iam/profile_private.sql.j2

create table iam.profile_private (
  user_id uuid not null,
  first_name text,
  last_name text,
  phone text,
  date_of_birth date,
  sex_at_birth text,
  notes_enc bytea,
  key_id uuid,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint profile_private_pkey primary key (user_id),
  constraint profile_private_first_name_check check (length(first_name) <= 100),
  constraint profile_private_last_name_check check (length(last_name) <= 100),
  constraint profile_private_phone_check check (length(phone) <= 40),
  constraint profile_private_sex_at_birth_check check (length(sex_at_birth) <= 40),
  constraint profile_private_notes_enc_check check (octet_length(notes_enc) <= 100000),
  constraint profile_private_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade
);

comment on table iam.profile_private is 'Personal and special data of one person.';

comment on column iam.profile_private.notes_enc is 'Encrypted by the client with the person''s data key.';

-- The foreign key to privacy.subject_keys follows with that table.
comment on column iam.profile_private.key_id is 'The data key notes_enc is encrypted with.';

create trigger aa_touch
  before update on iam.profile_private
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.profile_private
  for each row execute function audit.record_row(
    'meta',
    'user_id',
    'first_name,last_name,phone,date_of_birth,sex_at_birth,notes_enc',
    'user_id',
    ''
  );

alter table iam.profile_private enable row level security;

revoke all on iam.profile_private from public;

-- schema/iam/user_preferences.sql.j2

create table iam.user_preferences (
  user_id uuid not null,
  ui jsonb not null default '{}',
  accessibility jsonb not null default '{}',
  marketing_opt_in boolean not null default false,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint user_preferences_pkey primary key (user_id),
  constraint user_preferences_ui_check check (jsonb_typeof(ui) = 'object' and pg_column_size(ui) <= 20000),
  constraint user_preferences_accessibility_check check (
    jsonb_typeof(accessibility) = 'object' and pg_column_size(accessibility) <= 20000
  ),
  constraint user_preferences_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade
);

comment on table iam.user_preferences is 'One row per person who changed a preference.';

comment on column iam.user_preferences.accessibility is
  'Can reveal a disability, so it is classified as special data.';

create trigger aa_touch
  before update on iam.user_preferences
  for each row execute function core.touch();

alter table iam.user_preferences enable row level security;

revoke all on iam.user_preferences from public;

-- schema/iam/_functions/address_of.sql.j2

create function iam.address_of(account uuid, email text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when length(email) <= 320 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$' then email
    else account || '@no-address.invalid'
  end
$$;

comment on function iam.address_of(uuid, text) is
  'The address of an account as iam.profiles stores it. Accounts without an address (phone, anonymous) receive '
  'one in a reserved domain.';

revoke all on function iam.address_of(uuid, text) from public;

-- schema/iam/_functions/create_profile.sql.j2

-- Metadata is written by the person: values of another type are ignored, texts are shortened, an unknown time zone or
-- locale becomes the default. It has no effect on permissions.
create function iam.create_profile(account uuid, email text, metadata jsonb)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  texts jsonb;
  zone text;
  link text;
begin
  select coalesce(jsonb_object_agg(field.key, core.safe_text(field.value #>> '{}', 200)), '{}')
  into texts
  from jsonb_each(case when jsonb_typeof(metadata) = 'object' then metadata else '{}' end) as field
  where field.key in ('full_name', 'name', 'display_name', 'locale')
    and jsonb_typeof(field.value) = 'string';

  begin
    zone := (metadata ->> 'timezone')::core.time_zone;
  exception
    when others then
      zone := null;
  end;

  begin
    link := (metadata ->> 'avatar_url')::core.http_url;
  exception
    when others then
      link := null;
  end;

  insert into iam.profiles as p (id, email, full_name, display_name, avatar_url, timezone, locale)
  values (
    account,
    iam.address_of(account, create_profile.email),
    texts ->> 'full_name',
    coalesce(texts ->> 'display_name', texts ->> 'name'),
    link,
    coalesce(zone, 'UTC'),
    case when texts ->> 'locale' ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$' then texts ->> 'locale' else 'en-US' end
  )
  -- The profile of a repaired account; the person's own changes are kept.
  on conflict (id) do update
  set
    full_name = coalesce(p.full_name, excluded.full_name),
    display_name = coalesce(p.display_name, excluded.display_name),
    avatar_url = coalesce(p.avatar_url, excluded.avatar_url)
  where (p.full_name is null and excluded.full_name is not null)
    or (p.display_name is null and excluded.display_name is not null)
    or (p.avatar_url is null and excluded.avatar_url is not null);
end
$$;

comment on function iam.create_profile(uuid, text, jsonb) is
  'Creates the profile of an account from its address and its metadata, or fills the empty columns of an '
  'existing one.';

revoke all on function iam.create_profile(uuid, text, jsonb) from public;

-- schema/iam/_functions/record_account_failure.sql.j2

create function iam.record_account_failure(
  account uuid,
  step text,
  sqlstate text,
  constraint_name text,
  event_code text default null
)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  raise warning 'step % after a change of account % failed with %', step, account, sqlstate;

  insert into iam.account_failures (user_id, step, event_code, sqlstate, constraint_name)
  values (
    account,
    record_account_failure.step,
    record_account_failure.event_code,
    record_account_failure.sqlstate,
    nullif(record_account_failure.constraint_name, '')
  );
exception
  when others then
    null; -- the warning above is in the server's log
end
$$;

comment on function iam.record_account_failure(uuid, text, text, text, text) is
  'Records a failure for iam.repair_profiles(); never raises.';

revoke all on function iam.record_account_failure(uuid, text, text, text, text) from public;

-- schema/ai/_types.sql.j2

create domain ai.message_role as text
  constraint message_role_check check (value in ('system', 'user', 'assistant', 'tool'));

comment on domain ai.message_role is 'The author of a message. People write messages of role user only.';

create domain ai.conversation_status as text
  constraint conversation_status_check check (value in ('active', 'paused', 'completed', 'archived'));

comment on domain ai.conversation_status is 'The status of a conversation for its owner.';

create domain ai.conversation_mode as text
  constraint conversation_mode_check check (value in ('sandbox', 'assigned', 'coaching'));

comment on domain ai.conversation_mode is 'The purpose of a conversation.';

-- schema/content/_types.sql.j2

-- Domains, not enums: row-level security lets only leakproof operators use an index, and no operator of an enum is.
create domain content.content_type as text
  constraint content_type_check check (value in ('ai_agent', 'video', 'document', 'prompt', 'automation'));

comment on domain content.content_type is 'The type of the items of a repository; one repository per type.';

create domain content.content_status as text
  constraint content_status_check check (value in ('draft', 'review', 'approved', 'published', 'archived'));

comment on domain content.content_status is
  'The publication status of an item. Only the owner and the editors and admins of the tenant can read '
  'unpublished items.';

create domain content.audience as text
  constraint audience_check check (value in ('none', 'editors', 'members', 'everyone'));

comment on domain content.audience is
  'Who can read an item besides its owner: none (deleted), its editors, the members of its tenant, or everyone.';

-- migrate:down

drop function ops.ensure_hash_partitions(regclass, integer);
drop function ops.record_archive(regclass, text, bigint, text, bytea);
drop function ops.ensure_all_partitions();

drop table
  iam.user_preferences,
  iam.profile_private,
  audit.sessions,
  iam.profiles,
  iam.account_failures,
  audit.system_events,
  audit.security_audit,
  audit.seals,
  audit.audit_log,
  audit.event_types,
  ops.partition_metadata,
  ops.partition_strategies,
  ops.job_runs,
  privacy.data_archive_log;

drop function iam.record_account_failure(uuid, text, text, text, text);
drop function iam.create_profile(uuid, text, jsonb);
drop function iam.address_of(uuid, text);
drop function audit.uuid_or_null(text);
drop function audit.trusted_proxies();
drop function audit.reject_change();
drop function audit.record_row();
drop function audit.record_partition();
drop function audit.record_job();
drop function audit.record_direct_change();
drop function audit.network_of(inet);
drop function audit.masked(jsonb, text[]);
drop function audit.log_system(text, core.severity, jsonb, text, uuid, uuid);
drop function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid);
drop function audit.end_elevation(uuid);
drop function audit.elevate(text, text, uuid, uuid, text, interval);
drop function audit.caller();
drop function audit.address_or_null(text);
drop function ops.set_retention(text, interval);
drop function ops.record_partitions(regclass);
drop function ops.ensure_partitions(regclass, text, integer, integer, timestamp with time zone, timestamp with time zone);
drop function ops.add_partition(regclass, text, text);
drop domain content.audience;
drop domain content.content_status;
drop domain content.content_type;
drop domain ai.conversation_mode;
drop domain ai.conversation_status;
drop domain ai.message_role;
drop domain iam.grant_effect;
drop domain iam.unit_kind;
drop type iam.role_tier;
drop domain iam.membership_status;
drop domain iam.tenant_status;
drop domain iam.tenant_kind;
drop type audit.risk_level;
drop domain audit.action;
drop domain core.time_zone;
drop domain core.http_url;
drop domain core.severity;
drop domain core.visibility_level;

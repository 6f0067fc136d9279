-- 0008 partition management
-- from: schema/ops/job_runs.sql.j2, schema/ops/partition_strategies.sql.j2, schema/ops/partition_metadata.sql.j2, schema/ops/_functions/add_partition.sql.j2, schema/ops/_functions/ensure_partitions.sql.j2, schema/ops/_functions/ensure_all_partitions.sql.j2, schema/ops/_functions/record_archive.sql.j2, schema/ops/_functions/record_partitions.sql.j2, schema/ops/_functions/ensure_hash_partitions.sql.j2, schema/ops/_functions/set_retention.sql.j2
-- migrate:up

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

-- migrate:down

drop function ops.ensure_hash_partitions(regclass, integer);
drop function ops.record_archive(regclass, text, bigint, text, bytea);
drop function ops.ensure_all_partitions();

drop table
  ops.partition_metadata,
  ops.partition_strategies,
  ops.job_runs;

drop function ops.set_retention(text, interval);
drop function ops.record_partitions(regclass);
drop function ops.ensure_partitions(regclass, text, integer, integer, timestamp with time zone, timestamp with time zone);
drop function ops.add_partition(regclass, text, text);

-- 0008 partition management
-- from: schema/ops/job_runs.sql.j2, schema/ops/partition_strategies.sql.j2, schema/ops/partition_metadata.sql.j2, schema/ops/_functions/add_partition.sql.j2, schema/ops/_functions/detach_expired.sql.j2, schema/ops/_functions/drop_archived.sql.j2, schema/ops/_functions/record_partitions.sql.j2, schema/ops/_functions/ensure_hash_partitions.sql.j2, schema/ops/_functions/ensure_partitions.sql.j2, schema/ops/_functions/ensure_all_partitions.sql.j2
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
  premake integer not null default 3,
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
  constraint partition_strategies_premake_check check (premake >= 1)
);

comment on table ops.partition_strategies is
  'One row per partitioned table, written by ops.ensure_partitions() from its card.';

comment on column ops.partition_strategies.premake is
  'Number of intervals after the current one that must have a partition.';

comment on column ops.partition_strategies.retention is
  'How long a partition stays attached after its upper bound; null: without limit.';

comment on column ops.partition_strategies.auto_drop is
  'Whether a detached partition is scheduled for dropping automatically.';

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
  scheduled_drop_at timestamptz,
  constraint partition_metadata_pkey primary key (schema_name, table_name, partition_name),
  constraint partition_metadata_status_check check (
    status in ('active', 'detached', 'archived', 'compressed', 'scheduled_drop', 'dropped')
  ),
  constraint partition_metadata_table_fkey foreign key (schema_name, table_name)
    references ops.partition_strategies (schema_name, table_name) on delete cascade
);

comment on table ops.partition_metadata is
  'The state of each partition: active, detached, archived, scheduled_drop, dropped.';

comment on column ops.partition_metadata.partition_name is 'The name of the partition in the schema parts.';

comment on column ops.partition_metadata.upper_bound is
  'The exclusive upper bound in UTC; null for a hash partition.';

-- The partitions that ops.drop_archived() processes.
create index partition_metadata_status_scheduled_drop_at_idx
  on ops.partition_metadata (status, scheduled_drop_at);

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

  if to_regclass(format('parts.%I', partition_name)) is not null then
    return false;
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
  'Attaches a new, empty partition and returns true, or false if a table of this name exists. For the '
  'functions of this schema.';

revoke execute on function ops.add_partition(regclass, text, text) from public;

-- schema/ops/_functions/detach_expired.sql.j2

-- A function cannot detach without blocking reads: DETACH … CONCURRENTLY cannot run inside a transaction block, and a
-- plain DETACH acquires an ACCESS EXCLUSIVE lock on the parent. This function therefore returns the statements that are
-- due; the caller executes each in its own transaction as aigym_owner. The next call records the detached partitions.
create function ops.detach_expired(as_of timestamptz default now())
returns table (
  partitioned_table text,
  partition_name text,
  expired_at timestamptz,
  statement text
)
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
  perform ops.record_partitions(format('%I.%I', strategy.schema_name, strategy.table_name)::regclass)
  from ops.partition_strategies as strategy
  where to_regclass(format('%I.%I', strategy.schema_name, strategy.table_name)) is not null;

  return query
  select
    format('%I.%I', strategy.schema_name, strategy.table_name),
    format('parts.%I', attached.partition_name),
    attached.upper_bound::timestamptz + strategy.retention,
    format(
      'alter table %I.%I detach partition parts.%I %s;',
      strategy.schema_name,
      strategy.table_name,
      attached.partition_name,
      case when inherits.inhdetachpending then 'finalize' else 'concurrently' end
    )
  from ops.partition_strategies as strategy
  join ops.partition_metadata as attached using (schema_name, table_name)
  join pg_catalog.pg_inherits as inherits
    on inherits.inhrelid = to_regclass(format('parts.%I', attached.partition_name))
  where strategy.auto_detach
    and strategy.partition_type = 'range'
    and attached.status = 'active'
    and (
      inherits.inhdetachpending
      or attached.upper_bound::timestamptz <= date_trunc(strategy.partition_interval, as_of) - strategy.retention
    )
  order by inherits.inhdetachpending desc, 1, 2;
end
$$;

comment on function ops.detach_expired(timestamptz) is
  'The statements that detach every expired partition, oldest first and interrupted detaches before all '
  'others. Execute each outside a transaction block.';

revoke execute on function ops.detach_expired(timestamptz) from public;

grant execute on function ops.detach_expired(timestamptz) to aigym_job;

-- schema/ops/_functions/drop_archived.sql.j2

-- A partition is dropped a week after it was scheduled, and only if its archive has a hash.
create function ops.drop_archived(as_of timestamptz default now())
returns table (
  partition_name text,
  outcome text
)
language plpgsql
security definer
set search_path = ''
as $$
declare
  due record;
begin
  for due in
    select
      leaving.schema_name,
      leaving.table_name,
      leaving.partition_name,
      not strategy.archive_before_drop or exists (
        select
        from privacy.data_archive_log as archive
        where archive.schema_name = leaving.schema_name
          and archive.table_name = leaving.table_name
          and archive.partition_name = leaving.partition_name
          and archive.operation = 'archive'
          and archive.status = 'completed'
          and archive.archive_sha256 is not null
      ) as is_archived
    from ops.partition_metadata as leaving
    join ops.partition_strategies as strategy using (schema_name, table_name)
    where leaving.status = 'scheduled_drop'
      and leaving.scheduled_drop_at <= as_of
    order by leaving.schema_name, leaving.table_name, leaving.partition_name
  loop
    partition_name := format('parts.%I', due.partition_name);

    if not due.is_archived then
      outcome := 'kept: no archive with a hash';
    elsif exists (select from pg_catalog.pg_inherits where inhrelid = to_regclass(partition_name)) then
      outcome := 'kept: still attached';
    else
      execute format('drop table if exists parts.%I', due.partition_name);

      update ops.partition_metadata as dropped
      set status = 'dropped'
      where dropped.schema_name = due.schema_name
        and dropped.table_name = due.table_name
        and dropped.partition_name = due.partition_name;

      insert into privacy.data_archive_log (
        schema_name, table_name, partition_name, operation, status, completed_at
      )
      values (due.schema_name, due.table_name, due.partition_name, 'drop', 'completed', now());

      outcome := 'dropped';
    end if;

    return next;
  end loop;

  return query
  update ops.partition_metadata as leaving
  set
    status = 'scheduled_drop',
    scheduled_drop_at = as_of + interval '7 days'
  from ops.partition_strategies as strategy
  where strategy.schema_name = leaving.schema_name
    and strategy.table_name = leaving.table_name
    and strategy.auto_drop
    and (leaving.status = 'archived' or leaving.status = 'detached' and not strategy.archive_before_drop)
  returning format('parts.%I', leaving.partition_name), 'scheduled for ' || leaving.scheduled_drop_at::date;
end
$$;

comment on function ops.drop_archived(timestamptz) is
  'Drops the detached partitions that are due and archived, and schedules the next ones for a week later. '
  'Returns the outcome of each.';

revoke execute on function ops.drop_archived(timestamptz) from public;

grant execute on function ops.drop_archived(timestamptz) to aigym_job;

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
    row_estimate = excluded.row_estimate,
    size_bytes = excluded.size_bytes,
    status = 'active',
    detached_at = null
  where (known.row_estimate, known.size_bytes, known.status)
    is distinct from (excluded.row_estimate, excluded.size_bytes, 'active');

  update ops.partition_metadata as known
  set
    status = 'detached',
    detached_at = now()
  from pg_catalog.pg_class as parent_class
  join pg_catalog.pg_namespace as parent_namespace on parent_namespace.oid = parent_class.relnamespace
  where parent_class.oid = parent
    and known.schema_name = parent_namespace.nspname
    and known.table_name = parent_class.relname
    and known.status = 'active'
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
  'Updates ops.partition_metadata from the catalog: attached partitions, their sizes, and detached '
  'partitions. For the functions of this schema.';

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

-- schema/ops/_functions/ensure_partitions.sql.j2

-- Creates partitions before it updates the metadata: the audit log, which records changes of the metadata, is partitioned.
-- No DEFAULT partition is created: it forbids DETACH CONCURRENTLY, and each new partition would have to scan it.
create function ops.ensure_partitions(
  parent regclass,
  every text,
  keep integer default null,
  ahead integer default null,
  since timestamptz default now()
)
returns integer
language sql
volatile
security definer
set search_path = ''
set timezone = 'UTC'
begin atomic
  -- Serializes concurrent calls, which would create the same partition twice.
  select pg_advisory_xact_lock('ops.partition_strategies'::regclass::oid::integer, parent::oid::integer);

  select ops.add_partition(
    parent,
    suffix => 'p' || to_char(lower, case every when 'year' then 'YYYY' when 'month' then 'YYYYMM' else 'YYYYMMDD' end),
    bounds => format(
      'from (%L) to (%L)',
      to_char(lower, 'YYYY-MM-DD') || ' 00:00:00+00',
      to_char(lower + ('1 ' || every)::interval, 'YYYY-MM-DD') || ' 00:00:00+00'
    )
  )
  from generate_series(
    date_trunc(every, since::timestamp),
    date_trunc(every, now()::timestamp)
      + coalesce(ahead, case every when 'day' then 7 else 3 end) * ('1 ' || every)::interval,
    ('1 ' || every)::interval
  ) as lower;

  insert into ops.partition_strategies as known (
    schema_name, table_name, partition_type, partition_key, partition_interval, premake, retention
  )
  select
    namespace.nspname,
    class.relname,
    'range',
    attribute.attname,
    every,
    coalesce(ahead, case every when 'day' then 7 else 3 end),
    keep * ('1 ' || every)::interval
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

  select ops.record_partitions(parent);

  select count(*)::integer from pg_catalog.pg_inherits where inhparent = parent;
end;

comment on function ops.ensure_partitions(regclass, text, integer, integer, timestamptz) is
  'Creates the partitions of a table from `since` to `ahead` intervals after the current one, to be kept '
  'attached for `keep` intervals. Returns the number attached. Default of `ahead`: 7 days, or 3 of longer '
  'intervals; of `keep`: unchanged. Idempotent.';

revoke execute on function ops.ensure_partitions(regclass, text, integer, integer, timestamptz) from public;

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

-- migrate:down

drop function ops.ensure_all_partitions();
drop function ops.ensure_partitions(regclass, text, integer, integer, timestamp with time zone);
drop function ops.ensure_hash_partitions(regclass, integer);

drop table
  ops.partition_metadata,
  ops.partition_strategies,
  ops.job_runs;

drop function ops.record_partitions(regclass);
drop function ops.drop_archived(timestamp with time zone);
drop function ops.detach_expired(timestamp with time zone);
drop function ops.add_partition(regclass, text, text);

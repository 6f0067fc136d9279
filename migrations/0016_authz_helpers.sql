-- 0016 authz helpers
-- from: schema/core/_views/data_catalog.sql.j2, schema/core/_views/integrity_rules.sql.j2, schema/privacy/_views/data_lifecycle_policies.sql.j2, schema/audit/_functions/content_hash.sql.j2, schema/audit/_functions/elevations.sql.j2, schema/audit/_functions/events.sql.j2, schema/audit/_functions/seal_of.sql.j2, schema/audit/_functions/broken_seals.sql.j2, schema/audit/_functions/seal_window.sql.j2, schema/audit/_functions/security_events.sql.j2, schema/audit/_views/audit_policies.sql.j2, schema/audit/_views/audit_triggers.sql.j2, schema/audit/_views/row_level_policies.sql.j2, schema/authz/_functions/aal.sql.j2, schema/authz/_functions/account_is_open.sql.j2, schema/authz/_functions/assert_permission.sql.j2, schema/authz/_functions/assert_session.sql.j2, schema/authz/_functions/confirmed_address.sql.j2, schema/authz/_functions/may_have_factor.sql.j2, schema/core/_views/column_catalog.sql.j2, schema/audit/_functions/sessions_of.sql.j2, schema/authz/_functions/role_rank.sql.j2, schema/authz/_functions/tenant_is_open.sql.j2, schema/authz/_functions/unrepaired_accounts.sql.j2, schema/authz/_functions/tenant_ids.sql.j2, schema/authz/_functions/unit_ids.sql.j2, schema/authz/_functions/held_rank.sql.j2, schema/authz/_functions/is_auditor.sql.j2, schema/authz/_functions/is_super_admin.sql.j2, schema/authz/_functions/led_tenants.sql.j2, schema/authz/_functions/may_on_platform.sql.j2, schema/authz/_functions/person_tenants_with.sql.j2, schema/authz/_functions/person_governed_with.sql.j2, schema/authz/_functions/readable_user_ids.sql.j2, schema/authz/_functions/session_ok.sql.j2, schema/authz/_functions/supported_tenant_ids.sql.j2, schema/authz/_functions/admin_tenant_ids.sql.j2, schema/authz/_functions/governed_with.sql.j2, schema/audit/_functions/may_read.sql.j2, schema/authz/_functions/rank_in.sql.j2, schema/authz/_functions/tenants_with.sql.j2
-- migrate:up

-- schema/core/_views/data_catalog.sql.j2

-- Rendered from the cards: a changed card is a changed view, which `aigym-db new` drafts.
create view core.data_catalog with (security_invoker = true) as
select
  card.schema_name,
  card.table_name,
  card.purpose,
  card.team,
  card.tenancy,
  card.owner_column,
  card.tenant_column,
  card.parent_table,
  card.mfa_level,
  card.data_class,
  card.legal_basis,
  card.retention_days,
  card.kept_with,
  card.audit_mode,
  card.partitioning,
  card.expected_rows
from (
  values
    (
      'ai', 'conversation_messages',
      'the messages of a conversation, in order.',
      'ai',
      'owner_tenant', 'user_id', 'tenant_id', null,
      'enrolled',
      'special',
      'consent',
      730, null,
      'none', 'range created_at month', 1400000000::bigint
    ),
    (
      'ai', 'conversations',
      'one person''s conversation with a model or an agent.',
      'ai',
      'owner_tenant', 'user_id', 'tenant_id', null,
      'enrolled',
      'special',
      'consent',
      730, null,
      'meta', null, 40000000::bigint
    ),
    (
      'ai', 'models',
      'language models and their prices.',
      'ai',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 30::bigint
    ),
    (
      'ai', 'providers',
      'companies whose models are called.',
      'ai',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 5::bigint
    ),
    (
      'audit', 'audit_log',
      'every row change that the card of the table requires to be recorded.',
      'security',
      'tenant', 'subject_user_id', 'tenant_id', null,
      'enrolled',
      'personal',
      'legal_obligation',
      2555, null,
      'none', 'range occurred_at month', 6720000000::bigint
    ),
    (
      'audit', 'event_types',
      'the kinds of event, with their sensitivity.',
      'security',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 60::bigint
    ),
    (
      'audit', 'seals',
      'a hash over a closed range of one of the logs, chained to the previous one.',
      'security',
      'system', null, null, null,
      'always',
      'internal',
      null,
      null::integer, 'life',
      'none', null, 10000::bigint
    ),
    (
      'audit', 'security_audit',
      'every sign-in, second factor, role change, rejected request, export and elevation.',
      'security',
      'owner_tenant', 'user_id', 'tenant_id', null,
      'enrolled',
      'personal',
      'legal_obligation',
      2555, null,
      'none', 'range occurred_at month', 1680000000::bigint
    ),
    (
      'audit', 'security_contexts',
      'elevations: additional read access of a person for a reason and a few hours.',
      'security',
      'owner', 'user_id', 'tenant_id', null,
      'always',
      'personal',
      'legal_obligation',
      2555, null,
      'full', null, 10000::bigint
    ),
    (
      'audit', 'sessions',
      'a session of a person, kept after they signed out.',
      'security',
      'owner', 'user_id', null, null,
      'enrolled',
      'personal',
      'legitimate_interests',
      365, null,
      'none', null, 50000000::bigint
    ),
    (
      'audit', 'system_events',
      'actions and errors of the system itself.',
      'security',
      'system', null, 'tenant_id', null,
      'always',
      'internal',
      null,
      90, null,
      'none', 'range occurred_at day', 450000000::bigint
    ),
    (
      'content', 'ai_agents',
      'the columns of items that are AI agents.',
      'content',
      'child', 'owner_id', 'tenant_id', 'content.items',
      'enrolled',
      'personal',
      'contract',
      null::integer, 'parent',
      'diff', null, 50000::bigint
    ),
    (
      'content', 'automations',
      'the columns of items that are automations.',
      'content',
      'child', 'owner_id', 'tenant_id', 'content.items',
      'enrolled',
      'personal',
      'contract',
      null::integer, 'parent',
      'diff', null, 20000::bigint
    ),
    (
      'content', 'documents',
      'the columns of items that are documents.',
      'content',
      'child', 'owner_id', 'tenant_id', 'content.items',
      'enrolled',
      'personal',
      'contract',
      null::integer, 'parent',
      'none', null, 200000::bigint
    ),
    (
      'content', 'folders',
      'the folders of a tenant in a repository.',
      'content',
      'tenant', null, 'tenant_id', null,
      'enrolled',
      'internal',
      null,
      null::integer, 'life',
      'none', null, 50000::bigint
    ),
    (
      'content', 'items',
      'the items of repositories, of every type.',
      'content',
      'owner_tenant', 'owner_id', 'tenant_id', null,
      'enrolled',
      'personal',
      'contract',
      null::integer, 'life',
      'diff', null, 500000::bigint
    ),
    (
      'content', 'prompts',
      'the columns of items that are reusable prompts.',
      'content',
      'child', 'owner_id', 'tenant_id', 'content.items',
      'enrolled',
      'personal',
      'contract',
      null::integer, 'parent',
      'diff', null, 100000::bigint
    ),
    (
      'content', 'repositories',
      'the five repositories.',
      'content',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 5::bigint
    ),
    (
      'content', 'videos',
      'the columns of items that are videos.',
      'content',
      'child', 'owner_id', 'tenant_id', 'content.items',
      'enrolled',
      'personal',
      'contract',
      null::integer, 'parent',
      'none', null, 100000::bigint
    ),
    (
      'iam', 'account_failures',
      'a step after a change of an account that failed, and is repaired later.',
      'identity',
      'system', null, null, null,
      'always',
      'personal',
      'contract',
      365, null,
      'none', null, 1000::bigint
    ),
    (
      'iam', 'communities',
      'the columns of tenants of kind community.',
      'identity',
      'child', null, 'id', 'iam.tenants',
      'enrolled',
      'internal',
      null,
      null::integer, 'parent',
      'diff', null, 5000::bigint
    ),
    (
      'iam', 'institutions',
      'the columns of tenants of kind institution.',
      'identity',
      'child', null, 'id', 'iam.tenants',
      'enrolled',
      'internal',
      null,
      null::integer, 'parent',
      'diff', null, 5000::bigint
    ),
    (
      'iam', 'invitations',
      'invitations to tenants.',
      'identity',
      'tenant', null, 'tenant_id', null,
      'always',
      'secret',
      'contract',
      90, null,
      'diff', null, 200000::bigint
    ),
    (
      'iam', 'memberships',
      'the members of tenants.',
      'identity',
      'owner_tenant', 'user_id', 'tenant_id', null,
      'enrolled',
      'personal',
      'contract',
      null::integer, 'life',
      'full', null, 12000000::bigint
    ),
    (
      'iam', 'organizations',
      'the columns of tenants of kind organization.',
      'identity',
      'child', null, 'id', 'iam.tenants',
      'enrolled',
      'personal',
      'contract',
      null::integer, 'parent',
      'diff', null, 10000::bigint
    ),
    (
      'iam', 'permission_grants',
      'permissions granted or denied in addition to roles.',
      'identity',
      'owner_tenant', 'user_id', 'tenant_id', null,
      'enrolled',
      'personal',
      'contract',
      null::integer, 'life',
      'full', null, 100000::bigint
    ),
    (
      'iam', 'permissions',
      'the permissions, as resource.action.',
      'identity',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 120::bigint
    ),
    (
      'iam', 'profile_private',
      'columns that only the person can read, separate from the profile that other tables reference.',
      'identity',
      'owner', 'user_id', null, null,
      'enrolled',
      'special',
      'consent',
      null::integer, 'life',
      'meta', null, 10000000::bigint
    ),
    (
      'iam', 'profiles',
      'one row per person, referenced by all personal data.',
      'identity',
      'owner', 'id', null, null,
      'none',
      'personal',
      'contract',
      null::integer, 'life',
      'diff', null, 10000000::bigint
    ),
    (
      'iam', 'relationship_types',
      'the kinds of membership.',
      'identity',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'diff', null, 9::bigint
    ),
    (
      'iam', 'role_permissions',
      'the permissions of each role.',
      'identity',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 600::bigint
    ),
    (
      'iam', 'roles',
      'the roles, each in one of three tiers.',
      'identity',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 16::bigint
    ),
    (
      'iam', 'tenant_domains',
      'mail domains of tenants, with proof of ownership.',
      'identity',
      'tenant', null, 'tenant_id', null,
      'always',
      'secret',
      null,
      null::integer, 'parent',
      'full', null, 15000::bigint
    ),
    (
      'iam', 'tenants',
      'the tenants, referenced by every row of a tenant.',
      'identity',
      'tenant', null, 'id', null,
      'enrolled',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 20000::bigint
    ),
    (
      'iam', 'unit_members',
      'the members of units.',
      'identity',
      'owner_tenant', 'user_id', 'tenant_id', null,
      'enrolled',
      'personal',
      'contract',
      null::integer, 'life',
      'diff', null, 3000000::bigint
    ),
    (
      'iam', 'units',
      'teams, departments and groups of a tenant, as a tree.',
      'identity',
      'tenant', null, 'tenant_id', null,
      'enrolled',
      'internal',
      null,
      null::integer, 'life',
      'diff', null, 50000::bigint
    ),
    (
      'iam', 'user_preferences',
      'display and behaviour settings of a person.',
      'identity',
      'owner', 'user_id', null, null,
      'none',
      'special',
      'contract',
      null::integer, 'life',
      'none', null, 10000000::bigint
    ),
    (
      'iam', 'user_roles',
      'the roles of people per tenant.',
      'identity',
      'owner_tenant', 'user_id', 'tenant_id', null,
      'enrolled',
      'personal',
      'contract',
      null::integer, 'life',
      'full', null, 12000000::bigint
    ),
    (
      'media', 'media',
      'files in object storage.',
      'content',
      'owner_tenant', 'owner_id', 'tenant_id', null,
      'enrolled',
      'personal',
      'contract',
      null::integer, 'life',
      'none', null, 5000000::bigint
    ),
    (
      'media', 'media_types',
      'the four kinds of file and their accepted formats.',
      'content',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'diff', null, 4::bigint
    ),
    (
      'ops', 'job_runs',
      'the runs of maintenance jobs, including the current one.',
      'platform',
      'system', null, null, null,
      'always',
      'internal',
      null,
      180, null,
      'none', null, 100000::bigint
    ),
    (
      'ops', 'partition_metadata',
      'every current and former partition, with bounds and retention state.',
      'platform',
      'system', null, null, null,
      'always',
      'internal',
      null,
      null::integer, 'life',
      'none', null, 1000::bigint
    ),
    (
      'ops', 'partition_strategies',
      'partitioning, lead time and retention of each partitioned table.',
      'platform',
      'system', null, null, null,
      'always',
      'internal',
      null,
      null::integer, 'life',
      'full', null, 20::bigint
    ),
    (
      'platform', 'languages',
      'the languages of content and interface.',
      'platform',
      'global', null, null, null,
      'none',
      'internal',
      null,
      null::integer, 'life',
      'diff', null, 50::bigint
    ),
    (
      'privacy', 'data_archive_log',
      'every archive, anonymisation and drop of rows by age, with the hash of the archive.',
      'data protection',
      'system', null, null, null,
      'always',
      'internal',
      null,
      3650, null,
      'none', null, 50000::bigint
    )
) as card (
  schema_name, table_name, purpose, team, tenancy, owner_column, tenant_column, parent_table, mfa_level, data_class,
  legal_basis, retention_days, kept_with, audit_mode, partitioning, expected_rows
)
where (select core.reads_catalog());

comment on view core.data_catalog is 'The declarations about each table, as on its card.';

comment on column core.data_catalog.team is 'The team that is responsible for the schema.';

comment on column core.data_catalog.tenancy is
  'The owner of the rows: all, a tenant, a person, the parent row or the system.';

comment on column core.data_catalog.data_class is 'The most sensitive class among the columns of the table.';

comment on column core.data_catalog.retention_days is 'Retention of a row in days; null: see kept_with.';

comment on column core.data_catalog.kept_with is
  'What a row without a number of days is kept as long as: life (its owner or tenant) or parent.';

comment on column core.data_catalog.partitioning is
  'The partitioning of the table, e.g. `range occurred_at month`; null if it is not partitioned.';

-- schema/core/_views/integrity_rules.sql.j2

create view core.integrity_rules with (security_invoker = true) as
select
  catalog.schema_name,
  catalog.table_name,
  reference.conname::text as constraint_name,
  target_namespace.nspname::text as target_schema,
  target.relname::text as target_table,
  case reference.confdeltype
    when 'a' then 'no action'
    when 'r' then 'restrict'
    when 'c' then 'cascade'
    when 'n' then 'set null'
    when 'd' then 'set default'
  end as on_delete,
  reference.convalidated as is_validated
from core.data_catalog as catalog
join pg_catalog.pg_namespace as namespace on namespace.nspname = catalog.schema_name
join pg_catalog.pg_class as class on class.relnamespace = namespace.oid and class.relname = catalog.table_name
join pg_catalog.pg_constraint as reference
  on reference.conrelid = class.oid and reference.contype = 'f' and reference.conparentid = 0
join pg_catalog.pg_class as target on target.oid = reference.confrelid
join pg_catalog.pg_namespace as target_namespace on target_namespace.oid = target.relnamespace;

comment on view core.integrity_rules is 'The foreign keys, and the effect of deleting a referenced row.';

-- schema/privacy/_views/data_lifecycle_policies.sql.j2

create view privacy.data_lifecycle_policies with (security_invoker = true) as
select
  catalog.schema_name,
  catalog.table_name,
  catalog.data_class,
  catalog.retention_days,
  catalog.kept_with,
  strategy.retention as attached_for,
  strategy.auto_detach as is_detached,
  strategy.archive_before_drop as is_archived,
  strategy.auto_drop as is_dropped
from core.data_catalog as catalog
left join ops.partition_strategies as strategy using (schema_name, table_name);

comment on view privacy.data_lifecycle_policies is
  'How long the rows of each table are kept: the retention of its card, and what happens to its partitions.';

comment on column privacy.data_lifecycle_policies.attached_for is
  'How long a partition stays attached after its end; null if the table has none.';

-- schema/audit/_functions/content_hash.sql.j2

-- Null values are left out, so that a column that is added later does not change the hash of earlier rows.
create function audit.content_hash(
  log_name text,
  window_start timestamptz,
  window_end timestamptz,
  out row_count bigint,
  out sha256 bytea
)
language plpgsql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
  case log_name
    when 'audit_log' then
      select count(*), sha256(coalesce(string_agg(sha256(jsonb_strip_nulls(to_jsonb(log))::text::bytea), '' order by log.id), ''))
      into row_count, sha256
      from audit.audit_log as log
      where log.occurred_at >= window_start and log.occurred_at < window_end;

    when 'security_audit' then
      select count(*), sha256(coalesce(string_agg(sha256(jsonb_strip_nulls(to_jsonb(log))::text::bytea), '' order by log.id), ''))
      into row_count, sha256
      from audit.security_audit as log
      where log.occurred_at >= window_start and log.occurred_at < window_end;

    else
      raise exception 'audit.content_hash() does not support log %', log_name
        using errcode = 'invalid_parameter_value';
  end case;
end
$$;

comment on function audit.content_hash(text, timestamptz, timestamptz) is
  'The number of rows of a log in a window of time, and a hash of them in the order of their keys.';

revoke execute on function audit.content_hash(text, timestamptz, timestamptz) from public;

-- schema/audit/_functions/elevations.sql.j2

create function audit.elevations(person uuid)
returns setof audit.security_contexts
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform authz.assert_session('always');

  if person is distinct from auth.uid() and not (authz.is_super_admin() or authz.is_auditor()) then
    raise exception 'only super admins and auditors can read the elevations of others'
      using errcode = 'insufficient_privilege';
  end if;

  return query
  select c.*
  from audit.security_contexts as c
  where c.user_id = person
  order by c.started_at desc, c.id desc
  limit 1000;
end
$$;

comment on function audit.elevations(uuid) is
  'The elevations of a person, newest first, at most 1,000: the caller''s own or, for super admins and auditors, those '
  'of any person. The events elevation.opened list all.';

revoke all on function audit.elevations(uuid) from public;

grant execute on function audit.elevations(uuid) to authenticated;

-- schema/audit/_functions/events.sql.j2

-- The log has no policy for people: a policy that admits auditors makes each other caller scan every partition. A custom
-- plan for each call omits the conditions of absent arguments and the partitions outside the times.
create function audit.events(
  tenant uuid default null,
  person uuid default null,
  actor uuid default null,
  changed_table text default null,
  row_key jsonb default null,
  since timestamptz default '-infinity',
  until timestamptz default 'infinity',
  before_id uuid default null,
  page_size integer default 50
)
returns setof audit.audit_log
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  wanted_schema constant text := split_part(changed_table, '.', 1);
  wanted_table constant text := split_part(changed_table, '.', 2);
begin
  perform authz.assert_session('enrolled');

  if not audit.may_read(tenant) then
    raise exception 'permission audit.read is required in this tenant'
      using errcode = 'insufficient_privilege';
  end if;

  if page_size not between 1 and 1000 then
    raise exception 'page_size must be between 1 and 1000, not %', page_size
      using errcode = 'invalid_parameter_value';
  end if;

  return query
  select log.*
  from audit.audit_log as log
  where log.occurred_at >= since
    and log.occurred_at <= until
    and (before_id is null or (log.occurred_at, log.id) < (until, before_id))
    and (tenant is null or log.tenant_id = tenant)
    and (person is null or log.subject_user_id = person)
    and (actor is null or log.actor_id = actor)
    and (changed_table is null or log.schema_name = wanted_schema and log.table_name = wanted_table)
    and (row_key is null or log.row_pk @> row_key)
  order by log.occurred_at desc, log.id desc
  limit page_size;
end
$$;

comment on function audit.events(uuid, uuid, uuid, text, jsonb, timestamptz, timestamptz, uuid, integer) is
  'The row changes, newest first, at most page_size of them. Filters: the tenant, the person concerned, the actor, the '
  'table as schema.table, the key of the row, and the times. For the next page pass the time of the last row as until '
  'and its id as before_id. Admins must name a tenant whose log they can read.';

revoke all on function audit.events(uuid, uuid, uuid, text, jsonb, timestamptz, timestamptz, uuid, integer) from public;

grant execute on function audit.events(uuid, uuid, uuid, text, jsonb, timestamptz, timestamptz, uuid, integer) to authenticated;

-- schema/audit/_functions/seal_of.sql.j2

create function audit.seal_of(
  previous_seal bytea,
  log_name text,
  window_start timestamptz,
  window_end timestamptz,
  row_count bigint,
  content_sha256 bytea
)
returns bytea
language sql
stable
set search_path = ''
set timezone = 'UTC'
as $$
  select sha256(
    coalesce(previous_seal, '')
      || convert_to(jsonb_build_array(log_name, window_start, window_end, row_count)::text, 'UTF8')
      || content_sha256
  )
$$;

comment on function audit.seal_of(bytea, text, timestamptz, timestamptz, bigint, bytea) is
  'The hash of the previous seal, a window and the hash of its rows.';

revoke execute on function audit.seal_of(bytea, text, timestamptz, timestamptz, bigint, bytea) from public;

-- schema/audit/_functions/broken_seals.sql.j2

create function audit.broken_seals(since timestamptz default '-infinity')
returns setof audit.seals
language sql
stable
security definer
set search_path = ''
as $$
  select s.*
  from (
    select s.*, lag(s.seal) over (partition by s.log_name order by s.id) as expected_previous_seal
    from audit.seals as s
  ) as chained
  join audit.seals as s on s.id = chained.id
  cross join lateral audit.content_hash(s.log_name, s.window_start, s.window_end) as content
  where s.window_start >= since
    and (
      s.previous_seal is distinct from chained.expected_previous_seal
      or content.sha256 <> s.content_sha256
      or s.seal <> audit.seal_of(
        s.previous_seal, s.log_name, s.window_start, s.window_end, content.row_count, content.sha256
      )
    )
  order by s.id
$$;

comment on function audit.broken_seals(timestamptz) is
  'The seals whose rows or whose predecessor have changed, of windows that start at this time or later. Rows of '
  'detached partitions are missing: pass the start of the oldest attached one.';

revoke execute on function audit.broken_seals(timestamptz) from public;

grant execute on function audit.broken_seals(timestamptz) to aigym_job;

-- schema/audit/_functions/seal_window.sql.j2

create function audit.seal_window(log_name text, window_end timestamptz, first_start timestamptz default '-infinity')
returns bytea
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  last_seal audit.seals;
  content record;
  new_seal bytea;
begin
  if window_end > now() - interval '1 hour' then
    raise exception 'a window must have ended an hour ago, so that no transaction writes into it, not at %', window_end
      using errcode = 'invalid_parameter_value';
  end if;

  perform pg_advisory_xact_lock('audit.seals'::regclass::oid::integer, hashtext(log_name));

  select s.*
  into last_seal
  from audit.seals as s
  where s.log_name = seal_window.log_name
  order by s.id desc
  limit 1;

  content := audit.content_hash(log_name, coalesce(last_seal.window_end, first_start), window_end);
  new_seal := audit.seal_of(
    last_seal.seal, log_name, coalesce(last_seal.window_end, first_start), window_end, content.row_count, content.sha256
  );

  insert into audit.seals (log_name, window_start, window_end, row_count, content_sha256, previous_seal, seal)
  values (
    log_name, coalesce(last_seal.window_end, first_start), window_end, content.row_count, content.sha256,
    last_seal.seal, new_seal
  );

  return new_seal;
end
$$;

comment on function audit.seal_window(text, timestamptz, timestamptz) is
  'Seals the rows of a log from the end of the last seal (the first time: from first_start) to window_end, and returns '
  'the seal. For a daily job, which stores the seal outside the database.';

revoke execute on function audit.seal_window(text, timestamptz, timestamptz) from public;

grant execute on function audit.seal_window(text, timestamptz, timestamptz) to aigym_job;

-- schema/audit/_functions/security_events.sql.j2

-- See audit.events().
create function audit.security_events(
  tenant uuid default null,
  person uuid default null,
  event_code text default null,
  at_least audit.risk_level default 'low',
  since timestamptz default '-infinity',
  until timestamptz default 'infinity',
  before_id uuid default null,
  page_size integer default 50
)
returns table (
  id uuid,
  occurred_at timestamptz,
  event text,
  user_id uuid,
  tenant_id uuid,
  action text,
  resource text,
  outcome text,
  risk_level audit.risk_level,
  aal text,
  ip_address inet,
  user_agent text,
  session_id uuid,
  request_id uuid,
  details jsonb
)
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  event_id uuid;
begin
  perform authz.assert_session('enrolled');

  if person is distinct from auth.uid() and not audit.may_read(tenant) then
    raise exception 'permission audit.read is required in this tenant'
      using errcode = 'insufficient_privilege',
            hint = 'Pass your own id as person to read the events that concern you.';
  end if;

  if page_size not between 1 and 1000 then
    raise exception 'page_size must be between 1 and 1000, not %', page_size
      using errcode = 'invalid_parameter_value';
  end if;

  if event_code is not null then
    select t.id
    into event_id
    from audit.event_types as t
    where t.code = event_code;

    if event_id is null then
      raise exception 'event type % does not exist', event_code
        using errcode = 'no_data_found';
    end if;
  end if;

  return query
  select
    log.id,
    log.occurred_at,
    t.code,
    log.user_id,
    log.tenant_id,
    log.action,
    log.resource,
    log.outcome,
    log.risk_level,
    log.aal,
    log.ip_address,
    log.user_agent,
    log.session_id,
    log.request_id,
    log.details
  from audit.security_audit as log
  join audit.event_types as t on t.id = log.event_type_id
  where log.occurred_at >= since
    and log.occurred_at <= until
    and (before_id is null or (log.occurred_at, log.id) < (until, before_id))
    and (tenant is null or log.tenant_id = tenant)
    and (person is null or log.user_id = person)
    and (event_id is null or log.event_type_id = event_id)
    and log.risk_level >= at_least
    -- The predicate of the index.
    and (at_least < 'high' or log.risk_level in ('high', 'critical'))
  order by log.occurred_at desc, log.id desc
  limit page_size;
end
$$;

comment on function
  audit.security_events(uuid, uuid, text, audit.risk_level, timestamptz, timestamptz, uuid, integer) is
  'The security events, newest first, at most page_size of them, with filters like those of audit.events(). A person '
  'reads the events that concern them by passing their own id as person.';

revoke all on function audit.security_events(uuid, uuid, text, audit.risk_level, timestamptz, timestamptz, uuid, integer) from public;

grant execute on function audit.security_events(uuid, uuid, text, audit.risk_level, timestamptz, timestamptz, uuid, integer) to authenticated;

-- schema/audit/_views/audit_policies.sql.j2

create view audit.audit_policies with (security_invoker = true) as
select
  catalog.schema_name,
  catalog.table_name,
  catalog.audit_mode,
  audit_trigger.oid is not null as is_audited,
  coalesce(audit_trigger.tgenabled in ('O', 'A'), false) as is_enabled
from core.data_catalog as catalog
join pg_catalog.pg_namespace as namespace on namespace.nspname = catalog.schema_name
join pg_catalog.pg_class as class on class.relnamespace = namespace.oid and class.relname = catalog.table_name
left join pg_catalog.pg_trigger as audit_trigger
  on audit_trigger.tgrelid = class.oid and audit_trigger.tgfoid = 'audit.record_row()'::regprocedure;

comment on view audit.audit_policies is 'The audit mode on the card of each table, and whether the table has the trigger.';

-- schema/audit/_views/audit_triggers.sql.j2

create view audit.audit_triggers with (security_invoker = true) as
select
  catalog.schema_name,
  catalog.table_name,
  trigger.tgname::text as trigger_name,
  case
    when trigger.tgtype & 64 <> 0 then 'instead of'
    when trigger.tgtype & 2 <> 0 then 'before'
    else 'after'
  end as timing,
  array_remove(
    array[
      case when trigger.tgtype & 4 <> 0 then 'insert' end,
      case when trigger.tgtype & 16 <> 0 then 'update' end,
      case when trigger.tgtype & 8 <> 0 then 'delete' end,
      case when trigger.tgtype & 32 <> 0 then 'truncate' end
    ],
    null
  ) as events,
  trigger.tgfoid::regprocedure::text as function_name,
  trigger.tgenabled in ('O', 'A') as is_enabled
from core.data_catalog as catalog
join pg_catalog.pg_namespace as namespace on namespace.nspname = catalog.schema_name
join pg_catalog.pg_class as class on class.relnamespace = namespace.oid and class.relname = catalog.table_name
join pg_catalog.pg_trigger as trigger on trigger.tgrelid = class.oid and not trigger.tgisinternal;

comment on view audit.audit_triggers is 'The triggers of the tables.';

-- schema/audit/_views/row_level_policies.sql.j2

create view audit.row_level_policies with (security_invoker = true) as
select
  catalog.schema_name,
  catalog.table_name,
  policy.policyname::text as policy_name,
  policy.cmd as command,
  policy.roles::text[] as roles,
  policy.permissive = 'PERMISSIVE' as is_permissive,
  policy.qual as using_expression,
  policy.with_check as check_expression
from core.data_catalog as catalog
join pg_catalog.pg_policies as policy
  on policy.schemaname = catalog.schema_name and policy.tablename = catalog.table_name;

comment on view audit.row_level_policies is 'The policies of the tables.';

-- schema/authz/_functions/aal.sql.j2

create function authz.aal()
returns text
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select coalesce(auth.jwt() ->> 'aal', 'aal1')
$$;

comment on function authz.aal() is
  'Authenticator assurance level of the session: aal1 with one factor, aal2 or aal3 with a second factor.';

alter function authz.aal() owner to aigym_authz;

revoke all on function authz.aal() from public;

grant execute on function authz.aal() to authenticated, service_role;

-- schema/authz/_functions/account_is_open.sql.j2

-- PL/pgSQL: PostgreSQL rewrites the body of an SQL function when it is created, and on Supabase row-level security of
-- auth.users applies to aigym_owner, which creates it.
create function authz.account_is_open(account uuid)
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  return exists (
    select
    from auth.users as u
    where u.id = account_is_open.account
      and u.deleted_at is null
      and (u.banned_until is null or u.banned_until <= now())
  );
end
$$;

comment on function authz.account_is_open(uuid) is
  'Whether an account exists and is neither banned nor deleted; false if auth.users cannot be read.';

alter function authz.account_is_open(uuid) owner to aigym_authz;

revoke all on function authz.account_is_open(uuid) from public;

grant execute on function authz.account_is_open(uuid) to aigym_owner;

-- schema/authz/_functions/assert_permission.sql.j2

create function authz.assert_permission(code text, tenant_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if assert_permission.tenant_id is null
    or not (assert_permission.tenant_id = any (array(select authz.governed_with(assert_permission.code))))
  then
    raise exception 'permission % is required in this tenant', assert_permission.code
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

comment on function authz.assert_permission(text, uuid) is
  'Raises insufficient_privilege if the tenant is not one of authz.governed_with().';

alter function authz.assert_permission(text, uuid) owner to aigym_authz;

revoke all on function authz.assert_permission(text, uuid) from public;

grant execute on function authz.assert_permission(text, uuid) to authenticated, service_role;

-- schema/authz/_functions/assert_session.sql.j2

create function authz.assert_session(level text)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if authz.session_ok(level) is not true then
    raise exception 'permission denied for this session'
      using errcode = 'insufficient_privilege',
            hint = 'Sign in with an active account, and with a second factor if one is required.';
  end if;
end
$$;

comment on function authz.assert_session(text) is
  'Raises insufficient_privilege if authz.session_ok() is false. For functions that write as their owner and '
  'thereby bypass the policies.';

alter function authz.assert_session(text) owner to aigym_authz;

revoke all on function authz.assert_session(text) from public;

grant execute on function authz.assert_session(text) to authenticated, service_role;

-- schema/authz/_functions/confirmed_address.sql.j2

-- PL/pgSQL for the same reason as authz.account_is_open().
create function authz.confirmed_address(person uuid)
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return (
    select lower(u.email)
    from auth.users as u
    where u.id = confirmed_address.person
      and u.email_confirmed_at is not null
      and u.deleted_at is null
  );
end
$$;

comment on function authz.confirmed_address(uuid) is
  'The mail address of an account in lower case; null if it is not confirmed. Not executable through the API.';

alter function authz.confirmed_address(uuid) owner to aigym_authz;

revoke all on function authz.confirmed_address(uuid) from public;

grant execute on function authz.confirmed_address(uuid) to aigym_owner;

-- schema/authz/_functions/may_have_factor.sql.j2

create function authz.may_have_factor()
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  -- If the factors cannot be read, the query would return none and admit every session. Therefore return true.
  if not has_schema_privilege('auth', 'usage')
    or not has_table_privilege('auth.mfa_factors', 'select')
    or row_security_active('auth.mfa_factors')
  then
    return true;
  end if;

  return exists (
    select
    from auth.mfa_factors as f
    where f.user_id = auth.uid()
      and f.status = 'verified'
  );
end
$$;

comment on function authz.may_have_factor() is
  'Whether the caller has a verified second factor; true if auth.mfa_factors cannot be read.';

alter function authz.may_have_factor() owner to aigym_authz;

revoke all on function authz.may_have_factor() from public;

grant execute on function authz.may_have_factor() to authenticated, service_role;

-- schema/core/_views/column_catalog.sql.j2

-- The classes are rendered from the cards, the columns are those of the tables. A column that contains a person is personal
-- without being on the card: the owner of the row, and a foreign key to a profile or an account.
create view core.column_catalog with (security_invoker = true) as
select
  catalog.schema_name,
  catalog.table_name,
  attribute.attname::text as column_name,
  format_type(attribute.atttypid, attribute.atttypmod) as data_type,
  case
    when card.data_class is not null then card.data_class
    when reference.confdeltype is not null or attribute.attname = catalog.owner_column then 'personal'
    else 'internal'
  end as data_class,
  case
    when card.erasure is not null then card.erasure
    when reference.confdeltype = 'c' then 'delete'
    when reference.confdeltype = 'n' then 'anonymise'
  end as erasure,
  catalog.audit_mode in ('diff', 'full')
    and attribute.attgenerated = ''
    and card.data_class is null as is_in_audit
from core.data_catalog as catalog
join pg_catalog.pg_namespace as namespace on namespace.nspname = catalog.schema_name
join pg_catalog.pg_class as class on class.relnamespace = namespace.oid and class.relname = catalog.table_name
join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
left join pg_catalog.pg_constraint as reference
  on reference.conrelid = class.oid
  and reference.contype = 'f'
  and reference.conkey = array[attribute.attnum]
  and reference.confrelid in ('iam.profiles'::regclass, 'auth.users'::regclass)
left join (
  values
    ('ai', 'conversation_messages', 'content', 'special', 'delete'),
    ('ai', 'conversation_messages', 'metadata', 'special', 'delete'),
    ('ai', 'conversations', 'title', 'special', 'delete'),
    ('ai', 'conversations', 'summary', 'special', 'delete'),
    ('ai', 'conversations', 'context', 'special', 'delete'),
    ('audit', 'audit_log', 'actor_id', 'personal', 'retain'),
    ('audit', 'audit_log', 'acting_for', 'personal', 'retain'),
    ('audit', 'audit_log', 'subject_user_id', 'personal', 'retain'),
    ('audit', 'audit_log', 'ip_address', 'personal', 'retain'),
    ('audit', 'audit_log', 'user_agent', 'personal', 'retain'),
    ('audit', 'audit_log', 'reason', 'personal', 'retain'),
    ('audit', 'security_audit', 'user_id', 'personal', 'retain'),
    ('audit', 'security_audit', 'ip_address', 'personal', 'retain'),
    ('audit', 'security_audit', 'user_agent', 'personal', 'retain'),
    ('audit', 'security_contexts', 'user_id', 'personal', 'retain'),
    ('audit', 'security_contexts', 'target_user_id', 'personal', 'retain'),
    ('audit', 'security_contexts', 'elevated_by', 'personal', 'retain'),
    ('audit', 'security_contexts', 'reason', 'personal', 'retain'),
    ('audit', 'sessions', 'user_id', 'personal', 'delete'),
    ('audit', 'sessions', 'ip_address', 'personal', 'anonymise'),
    ('audit', 'sessions', 'user_agent', 'personal', 'delete'),
    ('content', 'ai_agents', 'owner_id', 'personal', 'pseudonymise'),
    ('content', 'automations', 'owner_id', 'personal', 'pseudonymise'),
    ('content', 'documents', 'owner_id', 'personal', 'pseudonymise'),
    ('content', 'items', 'owner_id', 'personal', 'pseudonymise'),
    ('content', 'items', 'published_by', 'personal', 'pseudonymise'),
    ('content', 'prompts', 'owner_id', 'personal', 'pseudonymise'),
    ('content', 'videos', 'owner_id', 'personal', 'pseudonymise'),
    ('iam', 'account_failures', 'user_id', 'personal', 'delete'),
    ('iam', 'invitations', 'email', 'personal', 'delete'),
    ('iam', 'invitations', 'token_hash', 'secret', 'delete'),
    ('iam', 'invitations', 'invited_by', 'personal', 'delete'),
    ('iam', 'invitations', 'accepted_by', 'personal', 'delete'),
    ('iam', 'memberships', 'user_id', 'personal', 'delete'),
    ('iam', 'organizations', 'billing_email', 'personal', 'delete'),
    ('iam', 'permission_grants', 'user_id', 'personal', 'delete'),
    ('iam', 'profile_private', 'first_name', 'personal', 'delete'),
    ('iam', 'profile_private', 'last_name', 'personal', 'delete'),
    ('iam', 'profile_private', 'phone', 'personal', 'delete'),
    ('iam', 'profile_private', 'date_of_birth', 'special', 'delete'),
    ('iam', 'profile_private', 'sex_at_birth', 'special', 'delete'),
    ('iam', 'profile_private', 'notes_enc', 'special', 'delete'),
    ('iam', 'profiles', 'email', 'personal', 'anonymise'),
    ('iam', 'profiles', 'full_name', 'personal', 'anonymise'),
    ('iam', 'profiles', 'display_name', 'personal', 'anonymise'),
    ('iam', 'profiles', 'avatar_url', 'personal', 'anonymise'),
    ('iam', 'profiles', 'job_title', 'personal', 'anonymise'),
    ('iam', 'tenant_domains', 'verification_token', 'secret', 'delete'),
    ('iam', 'unit_members', 'user_id', 'personal', 'delete'),
    ('iam', 'user_preferences', 'ui', 'personal', 'delete'),
    ('iam', 'user_preferences', 'accessibility', 'special', 'delete'),
    ('iam', 'user_preferences', 'marketing_opt_in', 'personal', 'delete'),
    ('iam', 'user_roles', 'user_id', 'personal', 'delete'),
    ('media', 'media', 'owner_id', 'personal', 'delete'),
    ('media', 'media', 'filename', 'personal', 'delete'),
    ('media', 'media', 'alt_text', 'personal', 'delete')
) as card (schema_name, table_name, column_name, data_class, erasure)
  on card.schema_name = catalog.schema_name
  and card.table_name = catalog.table_name
  and card.column_name = attribute.attname;

comment on view core.column_catalog is
  'The sensitivity of each column and what erasure does with its value, as on the card of the table.';

comment on column core.column_catalog.data_class is 'internal, personal, special or secret.';

comment on column core.column_catalog.erasure is
  'delete, anonymise, pseudonymise or retain, by the card or the foreign key; null if neither defines it.';

comment on column core.column_catalog.is_in_audit is
  'Whether the audit log contains values of the column; they are masked otherwise.';

-- schema/audit/_functions/sessions_of.sql.j2

create function audit.sessions_of(person uuid)
returns setof audit.sessions
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform authz.assert_session('enrolled');

  if person is distinct from auth.uid() and not (authz.is_super_admin() or authz.is_auditor()) then
    raise exception 'only super admins and auditors can read the sessions of others'
      using errcode = 'insufficient_privilege';
  end if;

  return query
  select s.*
  from audit.sessions as s
  where s.user_id = person
  order by s.started_at desc
  limit 1000;
end
$$;

comment on function audit.sessions_of(uuid) is
  'The sessions of a person, newest first, at most 1,000: the caller''s own or, for super admins and auditors, of any '
  'person.';

revoke all on function audit.sessions_of(uuid) from public;

grant execute on function audit.sessions_of(uuid) to authenticated;

-- schema/authz/_functions/role_rank.sql.j2

create function authz.role_rank(role uuid)
returns integer
language sql
stable
security definer
set search_path = ''
as $$
  select case
    when r.tier = 'super_admin' then 3
    when r.role_type = 'owner' then 2
    when r.tier = 'community_admin' then 1
    else 0
  end
  from iam.roles as r
  where r.id = role_rank.role
$$;

comment on function authz.role_rank(uuid) is
  'The rank that a role gives: 3 super admin, which no role in a tenant gives, 2 owner, 1 other community admin, 0 '
  'end user. Not executable through the API.';

alter function authz.role_rank(uuid) owner to aigym_authz;

revoke all on function authz.role_rank(uuid) from public;

grant execute on function authz.role_rank(uuid) to aigym_owner;

-- schema/authz/_functions/tenant_is_open.sql.j2

-- The cost of a call per row makes the planner use parallel workers for 50 items: 18.7 ms instead of 0.9.
create function authz.tenant_is_open(tenant_id uuid)
returns boolean
language sql
stable
parallel safe
security definer
cost 1
set search_path = ''
as $$
  select exists (
    select
    from iam.tenants as t
    where t.id = tenant_is_open.tenant_id
      and t.status in ('trial', 'active')
      and t.deleted_at is null
  )
$$;

comment on function authz.tenant_is_open(uuid) is
  'Whether a tenant is in use. Policies call it for rows that are public: those of a suspended or deleted '
  'tenant are not.';

alter function authz.tenant_is_open(uuid) owner to aigym_authz;

revoke all on function authz.tenant_is_open(uuid) from public;

grant execute on function authz.tenant_is_open(uuid) to authenticated, service_role;

-- schema/authz/_functions/unrepaired_accounts.sql.j2

-- PL/pgSQL for the reason given in account_is_open().
create function authz.unrepaired_accounts()
returns table (id uuid, email text, metadata jsonb)
language plpgsql
stable
security definer
rows 10
set search_path = ''
as $$
begin
  return query
  select u.id, u.email::text, u.raw_user_meta_data
  from auth.users as u
  left join iam.profiles as p on p.id = u.id
  where (p.id is null and u.deleted_at is null)
    or (p.erased_at is null and p.email <> iam.address_of(u.id, u.email))
    or exists (
      select
      from iam.account_failures as f
      where f.user_id = u.id
        and f.step = 'profile'
        and f.repaired_at is null
    );
end
$$;

comment on function authz.unrepaired_accounts() is
  'The accounts that have no profile, or a profile that differs from the account.';

alter function authz.unrepaired_accounts() owner to aigym_authz;

revoke all on function authz.unrepaired_accounts() from public;

grant execute on function authz.unrepaired_accounts() to aigym_owner;

grant execute on function iam.address_of(uuid, text) to aigym_authz;

-- schema/authz/_functions/tenant_ids.sql.j2

create function authz.tenant_ids()
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  select m.tenant_id
  from iam.memberships as m
  join iam.tenants as t on t.id = m.tenant_id
  where m.user_id = auth.uid()
    and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    and t.status in ('trial', 'active') and t.deleted_at is null
$$;

comment on function authz.tenant_ids() is
  'The open tenants of which the caller is a member.';

alter function authz.tenant_ids() owner to aigym_authz;

revoke all on function authz.tenant_ids() from public;

grant execute on function authz.tenant_ids() to authenticated, service_role;

-- schema/authz/_functions/unit_ids.sql.j2

create function authz.unit_ids()
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  select um.unit_id
  from iam.unit_members as um
  where um.user_id = auth.uid()
    and um.tenant_id = any (array(select authz.tenant_ids()))
$$;

comment on function authz.unit_ids() is
  'The caller''s units in tenants of which the caller is an active member.';

alter function authz.unit_ids() owner to aigym_authz;

revoke all on function authz.unit_ids() from public;

grant execute on function authz.unit_ids() to authenticated, service_role;

-- schema/authz/_functions/held_rank.sql.j2

create function authz.held_rank(person uuid, tenant uuid)
returns integer
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(max(authz.role_rank(ur.role_id)), 0)
  from iam.user_roles as ur
  where ur.user_id = held_rank.person
    and ur.tenant_id = held_rank.tenant
    and ur.unit_id is null
    and ur.revoked_at is null
    and (ur.expires_at is null or ur.expires_at > now())
$$;

comment on function authz.held_rank(uuid, uuid) is
  'The highest rank of the roles of a person in a tenant, also while the membership is suspended. Not executable '
  'through the API.';

alter function authz.held_rank(uuid, uuid) owner to aigym_authz;

revoke all on function authz.held_rank(uuid, uuid) from public;

grant execute on function authz.held_rank(uuid, uuid) to aigym_owner;

-- schema/authz/_functions/is_auditor.sql.j2

create function authz.is_auditor()
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select exists (
    select
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    where ur.user_id = auth.uid()
      and ur.tenant_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and r.role_type = 'auditor'
      and r.deleted_at is null
  )
$$;

comment on function authz.is_auditor() is
  'Whether the caller is an auditor of the platform, who reads logs and declarations but no personal tables.';

alter function authz.is_auditor() owner to aigym_authz;

revoke all on function authz.is_auditor() from public;

grant execute on function authz.is_auditor() to authenticated, service_role;

-- schema/authz/_functions/is_super_admin.sql.j2

create function authz.is_super_admin()
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select authz.aal() in ('aal2', 'aal3')
    and exists (
      select
      from iam.user_roles as ur
      join iam.roles as r on r.id = ur.role_id
      where ur.user_id = auth.uid()
        and ur.tenant_id is null
        and ur.revoked_at is null
        and (ur.expires_at is null or ur.expires_at > now())
        and r.tier = 'super_admin'
        and r.deleted_at is null
    )
$$;

comment on function authz.is_super_admin() is
  'Whether the caller is a super admin with a second factor. The second factor is tested here, because lookup '
  'tables have no MFA level of their own.';

alter function authz.is_super_admin() owner to aigym_authz;

revoke all on function authz.is_super_admin() from public;

grant execute on function authz.is_super_admin() to authenticated, service_role;

-- schema/authz/_functions/led_tenants.sql.j2

create function authz.led_tenants(person uuid)
returns table (id uuid, as_owner boolean)
language sql
stable
parallel safe
security definer
rows 2
set search_path = ''
as $$
  select ur.tenant_id, bool_or(r.role_type = 'owner')
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
  join iam.tenants as t on t.id = ur.tenant_id
  where ur.user_id = led_tenants.person
    and ur.unit_id is null
    and ur.revoked_at is null
    and (ur.expires_at is null or ur.expires_at > now())
    and r.tier = 'community_admin'
    and r.deleted_at is null
    and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    and t.status in ('trial', 'active') and t.deleted_at is null
  group by ur.tenant_id
$$;

comment on function authz.led_tenants(uuid) is
  'The open tenants where a person holds a role of tier community_admin, and whether it is that of the owner. Not '
  'executable through the API.';

alter function authz.led_tenants(uuid) owner to aigym_authz;

revoke all on function authz.led_tenants(uuid) from public;

grant execute on function authz.led_tenants(uuid) to aigym_owner;

-- schema/authz/_functions/may_on_platform.sql.j2

create function authz.may_on_platform(permission text)
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  with
  wanted as (
    select p.id, p.requires_mfa from iam.permissions as p where p.code = may_on_platform.permission
  ),
  mine as (
    select ur.role_id
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    where ur.user_id = auth.uid()
      and ur.tenant_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and r.deleted_at is null
  )
  select exists (
      select
      from wanted
      join iam.role_permissions as rp on rp.permission_id = wanted.id
      join mine on mine.role_id = rp.role_id
      where not wanted.requires_mfa
        or authz.aal() in ('aal2', 'aal3')
    )
    and not exists (
      select
      from iam.permission_grants as g
      where g.permission_id = (select id from wanted)
        and g.effect = 'deny'
        and g.tenant_id is null
        and g.resource_id is null
        and (g.expires_at is null or g.expires_at > now())
        and (g.user_id = auth.uid() or g.role_id in (select role_id from mine))
    )
$$;

comment on function authz.may_on_platform(text) is
  'Whether the caller has a permission by a role on the platform, without a denial and with the second factor '
  'that the permission requires.';

alter function authz.may_on_platform(text) owner to aigym_authz;

revoke all on function authz.may_on_platform(text) from public;

grant execute on function authz.may_on_platform(text) to authenticated, service_role;

-- schema/authz/_functions/person_tenants_with.sql.j2

create function authz.person_tenants_with(person uuid, permission text)
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  with
  wanted as (
    select p.id from iam.permissions as p where p.code = person_tenants_with.permission
  ),
  -- The person's tenants and roles. A role limited to a unit has no effect on the rest of the tenant.
  held as (
    select m.tenant_id, ur.role_id
    from iam.memberships as m
    join iam.tenants as t on t.id = m.tenant_id and t.status in ('trial', 'active') and t.deleted_at is null
    left join iam.user_roles as ur
      on ur.user_id = m.user_id
      and ur.tenant_id = m.tenant_id
      and ur.unit_id is null
      and ur.revoked_at is null
      and (ur.expires_at is null or ur.expires_at > now())
      and exists (select from iam.roles as r where r.id = ur.role_id and r.deleted_at is null)
    where m.user_id = person_tenants_with.person
      and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
  ),
  exceptions as (
    select held.tenant_id, g.effect
    from held
    join iam.permission_grants as g
      on (g.user_id = person_tenants_with.person or g.role_id = held.role_id)
      and (g.tenant_id is null or g.tenant_id = held.tenant_id)
    where g.permission_id = (select id from wanted)
      and g.unit_id is null
      and g.resource_id is null
      and (g.expires_at is null or g.expires_at > now())
  )
  (
    select held.tenant_id
    from held
    join iam.role_permissions as rp on rp.role_id = held.role_id
    where rp.permission_id = (select id from wanted)
    union
    select tenant_id from exceptions where effect = 'allow'
  )
  except
  select tenant_id from exceptions where effect = 'deny'
$$;

comment on function authz.person_tenants_with(uuid, text) is
  'The open tenants where a person has a permission, by role or by an exception; deny takes precedence. Not '
  'executable through the API.';

alter function authz.person_tenants_with(uuid, text) owner to aigym_authz;

revoke all on function authz.person_tenants_with(uuid, text) from public;

grant execute on function authz.person_tenants_with(uuid, text) to aigym_owner;

-- schema/authz/_functions/person_governed_with.sql.j2

create function authz.person_governed_with(person uuid, permission text)
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  with
  held as materialized (
    select authz.person_tenants_with(person_governed_with.person, person_governed_with.permission) as id
  ),
  led as materialized (
    select led.id
    from authz.led_tenants(person_governed_with.person) as led
    join held on held.id = led.id
  )
  select held.id
  from held
  union
  select t.id
  from iam.tenants as t
  where t.ancestor_ids && array(select led.id from led)
    and t.status in ('trial', 'active') and t.deleted_at is null
    -- Denied in the tenant below, to the person or to a role held above.
    and not exists (
      select
      from iam.permission_grants as g
      join iam.permissions as p on p.id = g.permission_id
      where p.code = person_governed_with.permission
        and g.effect = 'deny'
        and g.tenant_id = t.id
        and g.unit_id is null
        and g.resource_id is null
        and (g.expires_at is null or g.expires_at > now())
        and (
          g.user_id = person_governed_with.person
          or g.role_id in (
            select ur.role_id
            from iam.user_roles as ur
            where ur.user_id = person_governed_with.person
              and ur.tenant_id = any (t.ancestor_ids)
              and ur.unit_id is null
              and ur.revoked_at is null
          )
        )
    )
$$;

comment on function authz.person_governed_with(uuid, text) is
  'The tenants of authz.person_tenants_with(), and the open descendants of those that the person leads, except '
  'where the permission is denied. Not executable through the API.';

alter function authz.person_governed_with(uuid, text) owner to aigym_authz;

revoke all on function authz.person_governed_with(uuid, text) from public;

grant execute on function authz.person_governed_with(uuid, text) to aigym_owner;

-- schema/authz/_functions/readable_user_ids.sql.j2

create function authz.readable_user_ids(scope text)
returns setof uuid
language sql
stable
parallel safe
security definer
rows 3
set search_path = ''
as $$
  select auth.uid()
  where auth.uid() is not null
  union
  -- The clients of a coach follow with iam.coach_links, one scope at a time.
  select c.target_user_id
  from audit.security_contexts as c
  where (select authz.is_super_admin())
    and c.user_id = auth.uid()
    and c.scope = 'phi_read'
    and c.target_user_id is not null
    and c.revoked_at is null
    and c.started_at <= now()
    and c.expires_at > now()
$$;

comment on function authz.readable_user_ids(text) is
  'The people whose personal rows of this scope the caller can read: the caller, and the person for whom an '
  'elevation is active.';

alter function authz.readable_user_ids(text) owner to aigym_authz;

revoke all on function authz.readable_user_ids(text) from public;

grant execute on function authz.readable_user_ids(text) to authenticated, service_role;

-- schema/authz/_functions/session_ok.sql.j2

create function authz.session_ok(level text)
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select exists (
      select
      from iam.profiles as p
      where p.id = auth.uid()
        and p.status = 'active'
    )
    and authz.account_is_open(auth.uid())
    and case
      when session_ok.level = 'none' then true
      when authz.aal() in ('aal2', 'aal3') then true
      when session_ok.level is distinct from 'enrolled' then false
      when authz.may_have_factor() then false
      else
        not exists (
          select
          from iam.profiles as p
          where p.id = auth.uid()
            and p.mfa_required
        )
        and not exists (
          select
          from iam.user_roles as ur
          join iam.roles as r on r.id = ur.role_id
          where ur.user_id = auth.uid()
            and ur.revoked_at is null
            and (ur.expires_at is null or ur.expires_at > now())
            and (
              r.tier in ('super_admin', 'community_admin')
              or r.role_type in ('coach', 'trainer', 'physiotherapist', 'auditor')
            )
        )
        and not exists (
          select
          from iam.memberships as m
          join iam.tenants as t on t.id = m.tenant_id
          where m.user_id = auth.uid()
            and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
            and t.require_mfa
        )
    end
$$;

comment on function authz.session_ok(text) is
  'Whether the caller is an active person, whose account is neither banned nor deleted, and the session has the '
  'required level: none; enrolled requires a second factor if the person has or must have one; always requires '
  'one from every person.';

alter function authz.session_ok(text) owner to aigym_authz;

revoke all on function authz.session_ok(text) from public;

grant execute on function authz.session_ok(text) to authenticated, service_role;

-- schema/authz/_functions/supported_tenant_ids.sql.j2

create function authz.supported_tenant_ids(person uuid)
returns setof uuid
language sql
stable
parallel safe
security definer
rows 1
set search_path = ''
as $$
  select c.tenant_id
  from audit.security_contexts as c
  join iam.tenants as t on t.id = c.tenant_id
  where c.user_id = supported_tenant_ids.person
    and c.scope = 'tenant_support'
    and c.revoked_at is null
    and c.started_at <= now()
    and c.expires_at > now()
    and t.deleted_at is null
    and exists (
      select
      from iam.user_roles as ur
      join iam.roles as r on r.id = ur.role_id
      where ur.user_id = c.user_id
        and ur.tenant_id is null
        and ur.revoked_at is null
        and (ur.expires_at is null or ur.expires_at > now())
        and r.tier = 'super_admin'
        and r.deleted_at is null
    )
$$;

comment on function authz.supported_tenant_ids(uuid) is
  'The tenants, also suspended ones, for which a super admin has an active elevation of scope tenant_support. '
  'Does not test the second factor of a session. Not executable through the API.';

alter function authz.supported_tenant_ids(uuid) owner to aigym_authz;

revoke all on function authz.supported_tenant_ids(uuid) from public;

grant execute on function authz.supported_tenant_ids(uuid) to aigym_owner;

-- schema/authz/_functions/admin_tenant_ids.sql.j2

create function authz.admin_tenant_ids()
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  with led as materialized (
    select led.id from authz.led_tenants(auth.uid()) as led
  )
  select led.id
  from led
  union
  select t.id
  from iam.tenants as t
  where t.ancestor_ids && array(select led.id from led)
    and t.status in ('trial', 'active') and t.deleted_at is null
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin())
$$;

comment on function authz.admin_tenant_ids() is
  'The open tenants that the caller administers: those where the caller is community admin, and their '
  'descendants; for a super admin, those of active elevations of scope tenant_support.';

alter function authz.admin_tenant_ids() owner to aigym_authz;

revoke all on function authz.admin_tenant_ids() from public;

grant execute on function authz.admin_tenant_ids() to authenticated, service_role;

-- schema/authz/_functions/governed_with.sql.j2

create function authz.governed_with(permission text)
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  select governed.id
  from authz.person_governed_with(auth.uid(), governed_with.permission) as governed (id)
  where exists (
    select
    from iam.permissions as p
    where p.code = governed_with.permission
      and (not p.requires_mfa or authz.aal() in ('aal2', 'aal3'))
  )
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin())
    and exists (select from iam.permissions as p where p.code = governed_with.permission)
$$;

comment on function authz.governed_with(text) is
  'The tenants where the caller can administer with a permission: those of authz.tenants_with(), and the open '
  'descendants of those that the caller leads, except where the permission is denied. None, if the permission requires a '
  'second factor that the session lacks.';

alter function authz.governed_with(text) owner to aigym_authz;

revoke all on function authz.governed_with(text) from public;

grant execute on function authz.governed_with(text) to authenticated, service_role;

-- schema/audit/_functions/may_read.sql.j2

-- Not executable through the API: called by the functions that read the logs.
create function audit.may_read(tenant uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select authz.is_super_admin()
    or authz.is_auditor()
    or exists (
      select
      from authz.governed_with('audit.read') as governed (id)
      where governed.id = tenant
    )
$$;

comment on function audit.may_read(uuid) is
  'Whether the caller can read the log of a tenant, with permission audit.read in it (see '
  'authz.governed_with()). Super admins and auditors read every log, also without a tenant (null).';

revoke execute on function audit.may_read(uuid) from public;

-- schema/authz/_functions/rank_in.sql.j2

create function authz.rank_in(person uuid, tenant uuid)
returns integer
language sql
stable
security definer
set search_path = ''
as $$
  select greatest(
    (
      select max(case when led.as_owner then 2 else 1 end)
      from authz.led_tenants(rank_in.person) as led
      join iam.tenants as t on t.id = rank_in.tenant and (led.id = t.id or led.id = any (t.ancestor_ids))
    ),
    (
      select 2
      from authz.supported_tenant_ids(rank_in.person) as supported (id)
      where supported.id = rank_in.tenant
    ),
    0
  )
$$;

comment on function authz.rank_in(uuid, uuid) is
  'The rank of a person in a tenant, by a role in it or in one above, or by an elevation: 2 owner, 1 other '
  'community admin, 0 no admin. Who acts on a person or a role needs at least their rank. Not executable through '
  'the API.';

alter function authz.rank_in(uuid, uuid) owner to aigym_authz;

revoke all on function authz.rank_in(uuid, uuid) from public;

grant execute on function authz.rank_in(uuid, uuid) to aigym_owner;

-- schema/authz/_functions/tenants_with.sql.j2

create function authz.tenants_with(permission text)
returns setof uuid
language sql
stable
parallel safe
security definer
rows 5
set search_path = ''
as $$
  select held.id
  from authz.person_tenants_with(auth.uid(), tenants_with.permission) as held (id)
  where exists (
    select
    from iam.permissions as p
    where p.code = tenants_with.permission
      and (not p.requires_mfa or authz.aal() in ('aal2', 'aal3'))
  )
  union
  select supported.id
  from authz.supported_tenant_ids(auth.uid()) as supported (id)
  where (select authz.is_super_admin())
    and exists (select from iam.permissions as p where p.code = tenants_with.permission)
$$;

comment on function authz.tenants_with(text) is
  'The open tenants where the caller has a permission, by role or by an exception (deny takes precedence); for '
  'a super admin, those of active elevations of scope tenant_support. None, if the permission requires a second factor '
  'that the session lacks.';

alter function authz.tenants_with(text) owner to aigym_authz;

revoke all on function authz.tenants_with(text) from public;

grant execute on function authz.tenants_with(text) to authenticated, service_role;

-- migrate:down

revoke execute on function iam.address_of(uuid, text) from aigym_authz;
drop view core.column_catalog;
drop view audit.row_level_policies;
drop view audit.audit_triggers;
drop view audit.audit_policies;
drop view privacy.data_lifecycle_policies;
drop view core.integrity_rules;
drop view core.data_catalog;
drop function audit.sessions_of(uuid);
drop function audit.broken_seals(timestamp with time zone);
drop function audit.events(uuid, uuid, uuid, text, jsonb, timestamp with time zone, timestamp with time zone, uuid, integer);
drop function audit.elevations(uuid);
drop function authz.tenants_with(text);
drop function authz.rank_in(uuid, uuid);
drop function audit.may_read(uuid);
drop function authz.governed_with(text);
drop function authz.admin_tenant_ids();
drop function authz.supported_tenant_ids(uuid);
drop function authz.session_ok(text);
drop function authz.readable_user_ids(text);
drop function authz.person_governed_with(uuid, text);
drop function authz.person_tenants_with(uuid, text);
drop function authz.may_on_platform(text);
drop function authz.led_tenants(uuid);
drop function authz.is_super_admin();
drop function authz.is_auditor();
drop function authz.held_rank(uuid, uuid);
drop function authz.unit_ids();
drop function authz.tenant_ids();
drop function authz.unrepaired_accounts();
drop function authz.tenant_is_open(uuid);
drop function authz.role_rank(uuid);
drop function authz.may_have_factor();
drop function authz.confirmed_address(uuid);
drop function authz.assert_session(text);
drop function authz.assert_permission(text, uuid);
drop function authz.account_is_open(uuid);
drop function authz.aal();
drop function audit.security_events(uuid, uuid, text, audit.risk_level, timestamp with time zone, timestamp with time zone, uuid, integer);
drop function audit.seal_window(text, timestamp with time zone, timestamp with time zone);
drop function audit.seal_of(bytea, text, timestamp with time zone, timestamp with time zone, bigint, bytea);
drop function audit.content_hash(text, timestamp with time zone, timestamp with time zone);

-- 0006 iam tenants
-- from: schema/core/_views/data_catalog.sql.j2, schema/core/_views/integrity_rules.sql.j2, schema/privacy/_views/data_lifecycle_policies.sql.j2, schema/audit/_functions/content_hash.sql.j2, schema/audit/security_contexts.sql.j2, schema/audit/_functions/elevations.sql.j2, schema/audit/_functions/events.sql.j2, schema/audit/_functions/seal_of.sql.j2, schema/audit/_functions/broken_seals.sql.j2, schema/audit/_functions/seal_window.sql.j2, schema/audit/_functions/security_events.sql.j2, schema/audit/_views/audit_policies.sql.j2, schema/audit/_views/audit_triggers.sql.j2, schema/audit/_views/row_level_policies.sql.j2, schema/authz/_functions/aal.sql.j2, schema/authz/_functions/account_is_open.sql.j2, schema/authz/_functions/assert_permission.sql.j2, schema/authz/_functions/assert_session.sql.j2, schema/authz/_functions/confirmed_address.sql.j2, schema/authz/_functions/may_have_factor.sql.j2, schema/iam/permissions.sql.j2, schema/core/_views/column_catalog.sql.j2, schema/audit/_functions/sessions_of.sql.j2, schema/iam/relationship_types.sql.j2, schema/iam/roles.sql.j2, schema/authz/_functions/role_rank.sql.j2, schema/iam/role_permissions.sql.j2, schema/iam/tenants.sql.j2, schema/authz/_functions/tenant_is_open.sql.j2, schema/iam/communities.sql.j2, schema/iam/institutions.sql.j2, schema/iam/organizations.sql.j2, schema/iam/units.sql.j2, schema/iam/invitations.sql.j2, schema/iam/permission_grants.sql.j2, schema/iam/_functions/accept_invitation.sql.j2, schema/iam/_functions/access_review.sql.j2, schema/authz/_functions/unrepaired_accounts.sql.j2, schema/iam/_functions/assert_other_owner.sql.j2, schema/iam/_functions/create_tenant.sql.j2, schema/iam/_functions/end_membership.sql.j2, schema/iam/_functions/end_role.sql.j2, schema/iam/_functions/grant_permission.sql.j2, schema/iam/_functions/grant_role.sql.j2, schema/iam/_functions/guard_domain_verification.sql.j2, schema/iam/tenant_domains.sql.j2, schema/iam/_functions/hand_over_ownership.sql.j2, schema/iam/_functions/invite.sql.j2, schema/iam/_functions/join_by_domain.sql.j2, schema/iam/_functions/limit_members.sql.j2, schema/iam/memberships.sql.j2, schema/authz/_functions/tenant_ids.sql.j2, schema/iam/unit_members.sql.j2, schema/authz/_functions/unit_ids.sql.j2, schema/iam/user_roles.sql.j2, schema/authz/_functions/held_rank.sql.j2, schema/authz/_functions/is_auditor.sql.j2, schema/authz/_functions/is_super_admin.sql.j2, schema/authz/_functions/led_tenants.sql.j2, schema/authz/_functions/may_on_platform.sql.j2, schema/authz/_functions/person_tenants_with.sql.j2, schema/authz/_functions/person_governed_with.sql.j2, schema/authz/_functions/readable_user_ids.sql.j2, schema/authz/_functions/session_ok.sql.j2, schema/authz/_functions/supported_tenant_ids.sql.j2, schema/authz/_functions/admin_tenant_ids.sql.j2, schema/authz/_functions/governed_with.sql.j2, schema/audit/_functions/may_read.sql.j2, schema/authz/_functions/rank_in.sql.j2, schema/authz/_functions/tenants_with.sql.j2, schema/iam/_functions/lock_tenant.sql.j2, schema/iam/_functions/repair_profiles.sql.j2, schema/iam/_functions/request_membership.sql.j2, schema/iam/_functions/revoke_invitation.sql.j2, schema/iam/_functions/revoke_invitations_of.sql.j2, schema/iam/_functions/revoke_permission.sql.j2, schema/iam/_functions/revoke_role.sql.j2, schema/iam/_functions/set_membership_status.sql.j2, schema/iam/_functions/set_role_permission.sql.j2, schema/iam/_functions/set_tenant_status.sql.j2, schema/platform/languages.sql.j2, schema/media/media_types.sql.j2, schema/media/_functions/check_file.sql.j2, schema/media/_functions/delete_personal_files.sql.j2, schema/media/media.sql.j2, schema/media/_functions/reject_unseen_file.sql.j2, schema/ai/providers.sql.j2, schema/ai/models.sql.j2, schema/ai/_functions/append_message.sql.j2, schema/ai/_functions/append_reply.sql.j2, schema/ai/_functions/end_conversation.sql.j2, schema/ai/_functions/number_message.sql.j2, schema/ai/_functions/reject_unseen_agent.sql.j2, schema/content/repositories.sql.j2, schema/content/_functions/can_read.sql.j2, schema/content/_functions/copy_root.sql.j2, schema/content/_functions/copy_root_to_part.sql.j2, schema/content/_functions/publish_item.sql.j2, schema/content/_functions/reject_deleted_folder.sql.j2, schema/content/folders.sql.j2, schema/content/items.sql.j2, schema/content/ai_agents.sql.j2, schema/ai/conversations.sql.j2, schema/ai/conversation_messages.sql.j2, schema/content/automations.sql.j2, schema/content/prompts.sql.j2, schema/content/_functions/require_source.sql.j2, schema/content/documents.sql.j2, schema/content/videos.sql.j2, schema/content/_functions/search_items.sql.j2, schema/api_v1/_functions/accept_invitation.sql.j2, schema/api_v1/_functions/access_review.sql.j2, schema/api_v1/_functions/append_message.sql.j2, schema/api_v1/_functions/create_tenant.sql.j2, schema/api_v1/_functions/elevate.sql.j2, schema/api_v1/_functions/end_elevation.sql.j2, schema/api_v1/_functions/events.sql.j2, schema/api_v1/_functions/grant_permission.sql.j2, schema/api_v1/_functions/grant_role.sql.j2, schema/api_v1/_functions/hand_over_ownership.sql.j2, schema/api_v1/_functions/invite.sql.j2, schema/api_v1/_functions/join_by_domain.sql.j2, schema/api_v1/_functions/request_membership.sql.j2, schema/api_v1/_functions/restore.sql.j2, schema/api_v1/_functions/revoke_invitation.sql.j2, schema/api_v1/_functions/revoke_permission.sql.j2, schema/api_v1/_functions/revoke_role.sql.j2, schema/api_v1/_functions/search_items.sql.j2, schema/api_v1/_functions/security_events.sql.j2, schema/api_v1/_functions/set_membership_status.sql.j2, schema/api_v1/_functions/set_tenant_status.sql.j2, schema/api_v1/_functions/soft_delete.sql.j2, schema/api_v1/_views/ai_agents.sql.j2, schema/api_v1/_views/automations.sql.j2, schema/api_v1/_views/communities.sql.j2, schema/api_v1/_views/conversations.sql.j2, schema/api_v1/_views/departments.sql.j2, schema/api_v1/_views/documents.sql.j2, schema/api_v1/_views/institutions.sql.j2, schema/api_v1/_views/languages.sql.j2, schema/api_v1/_views/me.sql.j2, schema/api_v1/_views/messages.sql.j2, schema/api_v1/_views/my_roles.sql.j2, schema/api_v1/_views/my_sessions.sql.j2, schema/api_v1/_views/my_tenants.sql.j2, schema/api_v1/_views/organizations.sql.j2, schema/api_v1/_views/people.sql.j2, schema/api_v1/_views/prompts.sql.j2, schema/api_v1/_views/teams.sql.j2, schema/api_v1/_views/tenant_members.sql.j2, schema/api_v1/_views/videos.sql.j2, policies/core.sql.j2, policies/privacy.sql.j2, policies/ops.sql.j2, policies/audit.sql.j2, policies/iam.sql.j2, policies/platform.sql.j2, policies/media.sql.j2, policies/ai.sql.j2, policies/content.sql.j2, policies/api_v1.sql.j2
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
  constraint security_contexts_scope_check check (scope in ('phi_read', 'tenant_support')),
  constraint security_contexts_reason_check check (length(reason) between 10 and 500),
  constraint security_contexts_ticket_ref_check check (length(ticket_ref) <= 100),
  constraint security_contexts_expires_at_check check (expires_at <= started_at + interval '4 hours')
);

comment on table audit.security_contexts is
  'Break-glass elevations: opened by audit.elevate(), read by the functions in authz. No foreign keys, so '
  'that rows remain after erasure.';

comment on column audit.security_contexts.user_id is 'The elevated person.';

comment on column audit.security_contexts.tenant_id is
  'The tenant that the elevation covers; required by scope tenant_support.';

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

-- schema/iam/permissions.sql.j2

create table iam.permissions (
  id uuid not null default gen_random_uuid(),
  code text not null,
  resource text not null,
  action text not null,
  scope text not null,
  name text not null,
  description text,
  is_dangerous boolean not null default false,
  requires_mfa boolean not null default false,
  risk_level smallint not null default 1,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint permissions_pkey primary key (id),
  constraint permissions_code_key unique (code),
  constraint permissions_resource_action_scope_key unique (resource, action, scope),
  constraint permissions_code_check check (code ~ '^[a-z_]+\.[a-z_]+$'),
  constraint permissions_scope_check check (scope in ('platform', 'tenant', 'unit', 'own')),
  constraint permissions_risk_level_check check (risk_level between 1 and 5)
);

comment on table iam.permissions is 'Tested by authz.tenants_with() and authz.assert_permission().';

comment on column iam.permissions.requires_mfa is
  'authz.assert_permission() rejects a session without a second factor.';

create trigger aa_touch
  before update on iam.permissions
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.permissions
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

create trigger bz_direct_change
  after insert or update or delete on iam.permissions
  for each row when (current_user <> 'aigym_owner')
  execute function audit.record_direct_change();

alter table iam.permissions enable row level security;

revoke all on iam.permissions from public;

-- Functions in authz read it.
grant select on iam.permissions to aigym_authz;

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

-- schema/iam/relationship_types.sql.j2

create table iam.relationship_types (
  id uuid not null default gen_random_uuid(),
  code text not null,
  name text not null,
  description text,
  requires_approval boolean not null default false,
  is_billable boolean not null default false,
  can_manage_others boolean not null default false,
  hierarchy_level smallint not null default 0,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint relationship_types_pkey primary key (id),
  constraint relationship_types_code_key unique (code),
  constraint relationship_types_code_check check (code ~ '^[a-z][a-z0-9_]{1,62}$'),
  constraint relationship_types_name_check check (length(name) <= 100),
  constraint relationship_types_description_check check (length(description) <= 1000),
  constraint relationship_types_hierarchy_level_check check (hierarchy_level between 0 and 10)
);

comment on table iam.relationship_types is
  'Employee, customer, patient, …: describes a membership and grants no permissions.';

create trigger aa_touch
  before update on iam.relationship_types
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.relationship_types
  for each row execute function audit.record_row(
    'diff',
    'id',
    '',
    '',
    ''
  );

alter table iam.relationship_types enable row level security;

revoke all on iam.relationship_types from public;

-- schema/iam/roles.sql.j2

create table iam.roles (
  id uuid not null default gen_random_uuid(),
  code text not null,
  tier iam.role_tier not null,
  role_type text not null,
  name text not null,
  description text,
  parent_role_id uuid,
  ancestor_ids uuid[] not null default '{}',
  depth smallint not null default 0,
  is_system boolean not null default false,
  is_assignable boolean not null default true,
  requires_approval boolean not null default false,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  constraint roles_pkey primary key (id),
  constraint roles_code_key unique (code),
  constraint roles_parent_role_id_fkey foreign key (parent_role_id) references iam.roles (id) on delete restrict,
  constraint roles_code_check check (code ~ '^[a-z][a-z0-9_]{1,62}$'),
  constraint roles_role_type_check check (
    role_type in (
      'admin', 'guest', 'trainer', 'physiotherapist', 'coach', 'member', 'customer', 'manager', 'owner', 'system',
      'content_creator', 'auditor'
    )
  ),
  constraint roles_depth_check check (depth between 0 and 10),
  constraint roles_parent_role_id_check check (parent_role_id is distinct from id)
);

comment on table iam.roles is 'Policies test the tier and permissions, never a role by name.';

comment on column iam.roles.parent_role_id is
  'The parent role in the hierarchy for display; permissions are not inherited.';

comment on column iam.roles.is_assignable is 'False: granted by service_role only, never by iam.grant_role().';

create trigger aa_touch
  before update on iam.roles
  for each row execute function core.touch();

create trigger ac_tree
  before insert or update of parent_role_id, ancestor_ids, depth on iam.roles
  for each row execute function core.place_in_tree('parent_role_id');

create trigger ac_tree_moved
  after update of parent_role_id on iam.roles
  for each row when (old.ancestor_ids is distinct from new.ancestor_ids)
  execute function core.move_subtree('parent_role_id');

create trigger zz_audit
  after insert or update or delete on iam.roles
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

create trigger bz_direct_change
  after insert or update of tier, role_type, deleted_at or delete on iam.roles
  for each row when (current_user <> 'aigym_owner')
  execute function audit.record_direct_change();

alter table iam.roles enable row level security;

revoke all on iam.roles from public;

-- Functions in authz read it.
grant select on iam.roles to aigym_authz;

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

-- schema/iam/role_permissions.sql.j2

create table iam.role_permissions (
  role_id uuid not null,
  permission_id uuid not null,
  is_default boolean not null default false,
  can_be_revoked boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint role_permissions_pkey primary key (role_id, permission_id),
  constraint role_permissions_role_id_fkey foreign key (role_id) references iam.roles (id) on delete cascade,
  constraint role_permissions_permission_id_fkey
    foreign key (permission_id) references iam.permissions (id) on delete cascade
);

comment on table iam.role_permissions is
  'The permissions of a role, the same in every tenant. Exceptions for one person or tenant are in '
  'iam.permission_grants.';

-- Access review: roles with a permission.
-- Foreign key: the referenced row is deleted or updated.
create index role_permissions_permission_id_idx
  on iam.role_permissions (permission_id);

create trigger aa_touch
  before update on iam.role_permissions
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.role_permissions
  for each row execute function audit.record_row(
    'full',
    'role_id,permission_id',
    '',
    '',
    ''
  );

create trigger bz_direct_change
  after insert or update or delete on iam.role_permissions
  for each row when (current_user <> 'aigym_owner')
  execute function audit.record_direct_change();

alter table iam.role_permissions enable row level security;

revoke all on iam.role_permissions from public;

-- Functions in authz read it.
grant select on iam.role_permissions to aigym_authz;

-- schema/iam/tenants.sql.j2

create table iam.tenants (
  id uuid not null default gen_random_uuid(),
  kind iam.tenant_kind not null,
  slug text not null,
  name text not null,
  display_name text,
  description text,
  parent_id uuid,
  ancestor_ids uuid[] not null default '{}',
  depth smallint not null default 0,
  status iam.tenant_status not null default 'trial',
  visibility core.visibility_level not null default 'private',
  data_region text not null default 'eu',
  require_mfa boolean not null default false,
  is_hipaa_covered boolean not null default false,
  user_limit integer not null default 100,
  storage_limit_mb bigint not null default 10240,
  branding jsonb not null default '{}',
  features jsonb not null default '{}',
  settings jsonb not null default '{}',
  trial_ends_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  row_version integer not null default 1,
  constraint tenants_pkey primary key (id),
  constraint tenants_slug_key unique (slug),
  constraint tenants_id_kind_key unique (id, kind),
  constraint tenants_parent_id_fkey foreign key (parent_id) references iam.tenants (id) on delete restrict,
  constraint tenants_slug_check check (length(slug) <= 63 and slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  constraint tenants_name_check check (length(name) between 2 and 255),
  constraint tenants_display_name_check check (length(display_name) <= 255),
  constraint tenants_description_check check (length(description) <= 5000),
  constraint tenants_branding_check check (jsonb_typeof(branding) = 'object' and pg_column_size(branding) <= 20000),
  constraint tenants_features_check check (jsonb_typeof(features) = 'object' and pg_column_size(features) <= 20000),
  constraint tenants_settings_check check (jsonb_typeof(settings) = 'object' and pg_column_size(settings) <= 20000),
  constraint tenants_depth_check check (depth between 0 and 6),
  constraint tenants_parent_id_check check (parent_id is distinct from id),
  constraint tenants_data_region_check check (data_region ~ '^[a-z]{2}(-[a-z0-9]+)*$'),
  constraint tenants_user_limit_check check (user_limit > 0)
);

comment on table iam.tenants is
  'A community, an organization or an institution. The kind determines the subtype table with the other '
  'columns.';

comment on column iam.tenants.ancestor_ids is
  'The ancestors from the root to the parent; maintained by the tree triggers. Admins of an ancestor '
  'administer this tenant.';

comment on column iam.tenants.require_mfa is
  'Members must use a second factor for every table whose MFA level is not none.';

comment on column iam.tenants.features is
  'The features of the tenant''s plan; updated by billing, not by the tenant.';

-- Sub-tenants of a tenant.
create index tenants_parent_id_idx
  on iam.tenants (parent_id)
  where parent_id is not null;

-- Admins of a tenant administer its descendants.
create index tenants_ancestor_ids_idx on iam.tenants using gin (ancestor_ids);

-- Billing and suspension jobs.
create index tenants_status_idx
  on iam.tenants (status)
  where deleted_at is null;

-- Policy: public tenants.
create index tenants_visibility_idx
  on iam.tenants (visibility)
  where deleted_at is null;

create trigger aa_touch
  before update on iam.tenants
  for each row execute function core.touch('row_version');

create trigger ac_tree
  before insert or update of parent_id, ancestor_ids, depth on iam.tenants
  for each row execute function core.place_in_tree('parent_id');

create trigger ac_tree_moved
  after update of parent_id on iam.tenants
  for each row when (old.ancestor_ids is distinct from new.ancestor_ids)
  execute function core.move_subtree('parent_id');

create trigger zz_audit
  after insert or update or delete on iam.tenants
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    'id'
  );

create trigger bz_direct_change
  after insert or update of status or delete on iam.tenants
  for each row when (current_user <> 'aigym_owner')
  execute function audit.record_direct_change();

alter table iam.tenants enable row level security;

revoke all on iam.tenants from public;

-- Functions in authz read it.
grant select on iam.tenants to aigym_authz;

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

-- schema/iam/communities.sql.j2

create table iam.communities (
  id uuid not null,
  kind iam.tenant_kind not null default 'community',
  project_name text,
  template_of uuid,
  welcome_message text,
  join_policy text not null default 'invite',
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint communities_pkey primary key (id),
  constraint communities_id_kind_fkey foreign key (id, kind) references iam.tenants (id, kind) on delete cascade,
  constraint communities_template_of_fkey foreign key (template_of) references iam.communities (id) on delete set null,
  constraint communities_project_name_check check (length(project_name) <= 255),
  constraint communities_welcome_message_check check (length(welcome_message) <= 5000),
  constraint communities_kind_check check (kind = 'community'),
  constraint communities_join_policy_check check (join_policy in ('open', 'request', 'invite', 'domain'))
);

comment on table iam.communities is
  'The kind-specific part of a community. The kind is part of the foreign key, so an organization cannot have '
  'this row.';

comment on column iam.communities.template_of is 'The community for which this one is a template.';

-- Foreign key: the referenced row is deleted or updated.
create index communities_template_of_idx
  on iam.communities (template_of)
  where template_of is not null;

create trigger aa_touch
  before update on iam.communities
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.communities
  for each row execute function audit.record_row(
    'diff',
    'id',
    '',
    '',
    'id'
  );

alter table iam.communities enable row level security;

revoke all on iam.communities from public;

-- schema/iam/institutions.sql.j2

create table iam.institutions (
  id uuid not null,
  kind iam.tenant_kind not null default 'institution',
  short_name text,
  institution_type text not null,
  contact_information jsonb not null default '{}',
  npi text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint institutions_pkey primary key (id),
  constraint institutions_id_kind_fkey foreign key (id, kind) references iam.tenants (id, kind) on delete cascade,
  constraint institutions_npi_check check (npi ~ '^[0-9]{10}$'),
  constraint institutions_contact_information_check check (
    jsonb_typeof(contact_information) = 'object' and pg_column_size(contact_information) <= 20000
  ),
  constraint institutions_kind_check check (kind = 'institution'),
  constraint institutions_short_name_check check (length(short_name) between 2 and 100),
  constraint institutions_institution_type_check check (
    institution_type in ('gym', 'clinic', 'hospital', 'sports_facility', 'rehabilitation_center', 'school', 'corporate')
  )
);

comment on table iam.institutions is 'The kind-specific part of an institution.';

comment on column iam.institutions.npi is
  'National provider identifier of a clinic or hospital in the United States.';

-- Directory by type.
create index institutions_institution_type_idx on iam.institutions (institution_type);

create trigger aa_touch
  before update on iam.institutions
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.institutions
  for each row execute function audit.record_row(
    'diff',
    'id',
    '',
    '',
    'id'
  );

alter table iam.institutions enable row level security;

revoke all on iam.institutions from public;

-- schema/iam/organizations.sql.j2

create table iam.organizations (
  id uuid not null,
  kind iam.tenant_kind not null default 'organization',
  legal_name text,
  logo_url core.http_url,
  billing_email text,
  industry text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint organizations_pkey primary key (id),
  constraint organizations_id_kind_fkey foreign key (id, kind) references iam.tenants (id, kind) on delete cascade,
  constraint organizations_legal_name_check check (length(legal_name) <= 255),
  constraint organizations_billing_email_check check (length(billing_email) <= 320),
  constraint organizations_industry_check check (length(industry) <= 100),
  constraint organizations_kind_check check (kind = 'organization')
);

comment on table iam.organizations is 'The kind-specific part of an organization.';

comment on column iam.organizations.billing_email is 'An address of the company, not of a person.';

create trigger aa_touch
  before update on iam.organizations
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.organizations
  for each row execute function audit.record_row(
    'diff',
    'id',
    'billing_email',
    '',
    'id'
  );

alter table iam.organizations enable row level security;

revoke all on iam.organizations from public;

-- schema/iam/units.sql.j2

create table iam.units (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  kind iam.unit_kind not null default 'team',
  name text not null,
  code text,
  description text,
  parent_id uuid,
  ancestor_ids uuid[] not null default '{}',
  depth smallint not null default 0,
  department_type text,
  is_billable_unit boolean not null default false,
  contact_information jsonb,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  constraint units_pkey primary key (id),
  constraint units_tenant_id_id_key unique (tenant_id, id),
  constraint units_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint units_tenant_id_parent_id_fkey
    foreign key (tenant_id, parent_id) references iam.units (tenant_id, id) on delete restrict,
  constraint units_name_check check (length(name) between 2 and 255),
  constraint units_code_check check (length(code) <= 50),
  constraint units_description_check check (length(description) <= 5000),
  constraint units_contact_information_check check (
    jsonb_typeof(contact_information) = 'object' and pg_column_size(contact_information) <= 20000
  ),
  constraint units_depth_check check (depth between 0 and 10),
  constraint units_parent_id_check check (parent_id is distinct from id),
  constraint units_department_type_check check (
    department_type in ('operational', 'administrative', 'clinical', 'training', 'facilities', 'finance')
  )
);

comment on table iam.units is 'A parent is a unit of the same tenant: the tenant is part of the foreign key.';

comment on column iam.units.ancestor_ids is
  'The ancestors from the root to the parent; maintained by the tree triggers.';

-- Kind and name of a unit are unique per tenant, except for deleted ones.
create unique index units_tenant_id_kind_lower_name_key
  on iam.units (tenant_id, kind, lower(name))
  where deleted_at is null;

create unique index units_tenant_id_code_key
  on iam.units (tenant_id, code)
  where code is not null and deleted_at is null;

-- Children of a unit.
create index units_parent_id_idx
  on iam.units (parent_id)
  where parent_id is not null;

-- Subtree of a unit.
create index units_ancestor_ids_idx on iam.units using gin (ancestor_ids);

create trigger aa_touch
  before update on iam.units
  for each row execute function core.touch();

create trigger ac_tree
  before insert or update of parent_id, ancestor_ids, depth on iam.units
  for each row execute function core.place_in_tree('parent_id');

create trigger ac_tree_moved
  after update of parent_id on iam.units
  for each row when (old.ancestor_ids is distinct from new.ancestor_ids)
  execute function core.move_subtree('parent_id');

create trigger zz_audit
  after insert or update or delete on iam.units
  for each row execute function audit.record_row(
    'diff',
    'id',
    '',
    '',
    'tenant_id'
  );

alter table iam.units enable row level security;

revoke all on iam.units from public;

-- schema/iam/invitations.sql.j2

create table iam.invitations (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  email text not null,
  role_id uuid not null,
  unit_id uuid,
  token_hash bytea not null,
  invited_by uuid,
  expires_at timestamptz not null default now() + interval '14 days',
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint invitations_pkey primary key (id),
  constraint invitations_token_hash_key unique (token_hash),
  constraint invitations_email_check check (length(email) <= 320 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  constraint invitations_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint invitations_role_id_fkey foreign key (role_id) references iam.roles (id) on delete restrict,
  constraint invitations_tenant_id_unit_id_fkey
    foreign key (tenant_id, unit_id) references iam.units (tenant_id, id) on delete set null (unit_id),
  constraint invitations_invited_by_fkey foreign key (invited_by) references iam.profiles (id) on delete set null,
  constraint invitations_accepted_by_fkey foreign key (accepted_by) references iam.profiles (id) on delete set null
);

comment on table iam.invitations is 'Created by iam.invite(), accepted by iam.accept_invitation().';

comment on column iam.invitations.token_hash is
  'SHA-256 of the token in the mail; the token itself is not stored.';

-- One open invitation per address and tenant.
create unique index invitations_tenant_id_lower_email_key
  on iam.invitations (tenant_id, lower(email))
  where accepted_at is null and revoked_at is null;

-- Expiry job.
create index invitations_expires_at_idx
  on iam.invitations (expires_at)
  where accepted_at is null and revoked_at is null;

-- Foreign key: the referenced row is deleted or updated.
create index invitations_tenant_id_idx
  on iam.invitations (tenant_id);

-- Foreign key: the referenced row is deleted or updated.
create index invitations_role_id_idx
  on iam.invitations (role_id);

-- Foreign key: the referenced row is deleted or updated.
create index invitations_unit_id_idx
  on iam.invitations (unit_id)
  where unit_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index invitations_invited_by_idx
  on iam.invitations (invited_by)
  where invited_by is not null;

-- Foreign key: the referenced row is deleted or updated.
create index invitations_accepted_by_idx
  on iam.invitations (accepted_by)
  where accepted_by is not null;

create trigger aa_touch
  before update on iam.invitations
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.invitations
  for each row execute function audit.record_row(
    'diff',
    'id',
    'email,token_hash,invited_by,accepted_by',
    '',
    'tenant_id'
  );

create trigger bz_direct_change
  after insert or update or delete on iam.invitations
  for each row when (current_user <> 'aigym_owner')
  execute function audit.record_direct_change();

alter table iam.invitations enable row level security;

revoke all on iam.invitations from public;

-- schema/iam/permission_grants.sql.j2

create table iam.permission_grants (
  id uuid not null default gen_random_uuid(),
  user_id uuid,
  role_id uuid,
  permission_id uuid not null,
  tenant_id uuid,
  unit_id uuid,
  resource_id uuid,
  effect iam.grant_effect not null default 'allow',
  grant_type text not null default 'direct',
  reason text,
  granted_by uuid,
  granted_at timestamptz not null default now(),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint permission_grants_pkey primary key (id),
  constraint permission_grants_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade,
  constraint permission_grants_role_id_fkey foreign key (role_id) references iam.roles (id) on delete cascade,
  constraint permission_grants_permission_id_fkey
    foreign key (permission_id) references iam.permissions (id) on delete cascade,
  constraint permission_grants_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint permission_grants_tenant_id_unit_id_fkey
    foreign key (tenant_id, unit_id) references iam.units (tenant_id, id) on delete cascade,
  constraint permission_grants_granted_by_fkey foreign key (granted_by) references iam.profiles (id) on delete set null,
  constraint permission_grants_user_id_role_id_check check (num_nonnulls(user_id, role_id) = 1),
  constraint permission_grants_unit_id_check check (unit_id is null or tenant_id is not null),
  constraint permission_grants_grant_type_check check (grant_type in ('direct', 'inherited', 'temporary', 'conditional'))
);

comment on table iam.permission_grants is
  'Allows or denies one permission to a person or to all holders of a role. Deny takes precedence.';

comment on column iam.permission_grants.tenant_id is 'Null: applies in every tenant of the person.';

comment on column iam.permission_grants.unit_id is
  'If set, the row applies in that unit only and has no effect on the rest of the tenant.';

-- The foreign key to core.resources follows with that table.
comment on column iam.permission_grants.resource_id is
  'If set, the row applies to that resource only and has no effect on the rest of the tenant.';

-- One exception per person or role, permission and place.
create unique index permission_grants_user_id_role_id_permission_id_tenant_id_key
  on iam.permission_grants (user_id, role_id, permission_id, tenant_id, unit_id, resource_id) nulls not distinct;

-- Effective permissions of a person, and of a role.
create index permission_grants_user_id_permission_id_idx
  on iam.permission_grants (user_id, permission_id)
  where user_id is not null;

create index permission_grants_role_id_permission_id_idx
  on iam.permission_grants (role_id, permission_id)
  where role_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index permission_grants_permission_id_idx
  on iam.permission_grants (permission_id);

-- Foreign key: the referenced row is deleted or updated.
create index permission_grants_tenant_id_idx
  on iam.permission_grants (tenant_id);

-- Foreign key: the referenced row is deleted or updated.
create index permission_grants_unit_id_idx
  on iam.permission_grants (unit_id)
  where unit_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index permission_grants_granted_by_idx
  on iam.permission_grants (granted_by)
  where granted_by is not null;

create trigger aa_touch
  before update on iam.permission_grants
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.permission_grants
  for each row execute function audit.record_row(
    'full',
    'id',
    'user_id',
    'user_id',
    'tenant_id'
  );

create trigger bz_direct_change
  after insert or update or delete on iam.permission_grants
  for each row when (current_user <> 'aigym_owner')
  execute function audit.record_direct_change();

alter table iam.permission_grants enable row level security;

revoke all on iam.permission_grants from public;

-- Functions in authz read it.
grant select on iam.permission_grants to aigym_authz;

-- schema/iam/_functions/accept_invitation.sql.j2

create function iam.accept_invitation(token text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  open_invitation iam.invitations;
  wanted_code text;
begin
  perform authz.assert_session('enrolled');

  select i.*
  into open_invitation
  from iam.invitations as i
  where i.token_hash = sha256(accept_invitation.token::bytea);

  if found then
    perform iam.lock_tenant(open_invitation.tenant_id);
  end if;

  select i.*
  into open_invitation
  from iam.invitations as i
  join iam.profiles as p on p.id = me and lower(p.email) = lower(i.email)
  join iam.tenants as t on t.id = i.tenant_id
  -- The inviter is another, active person who can still invite with this role.
  join iam.profiles as inviter on inviter.id = i.invited_by
  where i.id = open_invitation.id
    and i.accepted_at is null
    and i.revoked_at is null
    and i.expires_at > now()
    and t.status in ('trial', 'active') and t.deleted_at is null
    and inviter.id <> me
    and inviter.status = 'active'
    and authz.account_is_open(inviter.id)
    and i.tenant_id in (
      select authz.person_governed_with(i.invited_by, 'member.invite')
      union
      select authz.supported_tenant_ids(i.invited_by)
    )
    and authz.rank_in(i.invited_by, i.tenant_id) >= authz.role_rank(i.role_id)
  for update of i;

  -- The same error for an unknown, used, expired or ended invitation and for one of another address.
  if not found then
    raise exception 'the invitation is not valid for this account'
      using errcode = 'insufficient_privilege';
  end if;

  select r.code
  into wanted_code
  from iam.roles as r
  where r.id = open_invitation.role_id
    and r.is_assignable
    and r.deleted_at is null
    and r.tier <> 'super_admin'
    and r.role_type <> 'auditor';

  if not found then
    raise exception 'the role of this invitation cannot be granted by invitation'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.memberships as m (tenant_id, user_id, status, invited_by, approved_by, approved_at, created_by)
  values (
    open_invitation.tenant_id, me, 'active', open_invitation.invited_by, open_invitation.invited_by, now(), me
  )
  on conflict (tenant_id, user_id) do update
    set
      status = 'active',
      ended_at = null,
      ended_by = null,
      expires_at = case when m.expires_at > now() then m.expires_at end,
      invited_by = excluded.invited_by,
      approved_by = excluded.approved_by,
      approved_at = excluded.approved_at
    where m.status <> 'suspended';

  if not found then
    raise exception 'your membership is suspended'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, granted_by, reason, created_by)
  values (me, open_invitation.role_id, open_invitation.tenant_id, open_invitation.invited_by, 'accepted an invitation', me)
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null
  do update
    set expires_at = null, granted_by = excluded.granted_by, reason = excluded.reason
    where user_roles.expires_at <= now();

  insert into iam.unit_members (tenant_id, unit_id, user_id, created_by)
  select u.tenant_id, u.id, me, me
  from iam.units as u
  where u.id = open_invitation.unit_id
    and u.tenant_id = open_invitation.tenant_id
    and u.deleted_at is null
  on conflict (unit_id, user_id) do nothing;

  update iam.invitations
  set accepted_at = now(), accepted_by = me
  where id = open_invitation.id;

  perform audit.log_security(
    'invitation.accepted',
    action => 'accept_invitation',
    resource => wanted_code,
    risk => 'medium',
    tenant => open_invitation.tenant_id,
    details => jsonb_build_object('invitation', open_invitation.id, 'invited_by', open_invitation.invited_by)
  );

  return open_invitation.tenant_id;
end
$$;

comment on function iam.accept_invitation(text) is
  'Makes the caller a member with the role of the invitation and returns the tenant. The invitation must be open, '
  'addressed to the caller''s present address, and from another person who can still invite with this role.';

revoke all on function iam.accept_invitation(text) from public;

grant execute on function iam.accept_invitation(text) to authenticated;

-- schema/iam/_functions/access_review.sql.j2

create function iam.access_review(tenant uuid)
returns table (
  user_role uuid,
  user_id uuid,
  role_code text,
  unit_id uuid,
  membership_status iam.membership_status,
  granted_by uuid,
  granted_at timestamptz,
  expires_at timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform authz.assert_session('always');

  if authz.is_auditor() is not true then
    perform authz.assert_permission('role.grant', tenant);
  end if;

  return query
  select ur.id, ur.user_id, r.code, ur.unit_id, m.status, ur.granted_by, ur.granted_at, ur.expires_at
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
  where ur.tenant_id = tenant
    and ur.revoked_at is null
    and (ur.expires_at is null or ur.expires_at > now())
  order by r.tier, r.code, ur.user_id;
end
$$;

comment on function iam.access_review(uuid) is
  'The roles of a tenant that are neither revoked nor expired, the most powerful first: for auditors, and with '
  'permission role.grant.';

revoke all on function iam.access_review(uuid) from public;

grant execute on function iam.access_review(uuid) to authenticated;

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

-- schema/iam/_functions/assert_other_owner.sql.j2

create function iam.assert_other_owner(tenant uuid, person uuid)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not exists (
    select
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id
    join iam.profiles as p on p.id = ur.user_id
    where ur.tenant_id = assert_other_owner.tenant
      and ur.user_id <> assert_other_owner.person
      and ur.unit_id is null
      and ur.revoked_at is null
      and ur.expires_at is null
      and r.role_type = 'owner'
      and r.deleted_at is null
      and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
      and m.expires_at is null
      and p.status = 'active'
      and authz.account_is_open(p.id)
  ) then
    raise exception 'the last owner of a tenant cannot leave it'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Hand over the ownership first: iam.hand_over_ownership().';
  end if;
end
$$;

comment on function iam.assert_other_owner(uuid, uuid) is
  'Raises object_not_in_prerequisite_state if the tenant has no other owner without time limit. Call it after '
  'iam.lock_tenant().';

revoke all on function iam.assert_other_owner(uuid, uuid) from public;

-- schema/iam/_functions/create_tenant.sql.j2

create function iam.create_tenant(
  kind iam.tenant_kind,
  slug text,
  name text,
  parent_id uuid default null,
  institution_type text default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  founder uuid := auth.uid();
  founded uuid;
begin
  perform authz.assert_session('enrolled');

  if create_tenant.parent_id is not null then
    perform iam.lock_tenant(create_tenant.parent_id);
    perform authz.assert_permission('tenant.configure', create_tenant.parent_id);
  end if;

  insert into iam.tenants (kind, slug, name, parent_id, created_by)
  values (create_tenant.kind, create_tenant.slug, core.safe_text(create_tenant.name, 255), create_tenant.parent_id, founder)
  returning id
  into founded;

  case create_tenant.kind
    when 'community' then
      insert into iam.communities (id, created_by) values (founded, founder);
    when 'organization' then
      insert into iam.organizations (id, created_by) values (founded, founder);
    when 'institution' then
      insert into iam.institutions (id, institution_type, created_by)
      values (founded, coalesce(create_tenant.institution_type, 'gym'), founder);
  end case;

  insert into iam.memberships (tenant_id, user_id, status, approved_by, approved_at, created_by)
  values (founded, founder, 'active', founder, now(), founder);

  insert into iam.user_roles (user_id, role_id, tenant_id, granted_by, reason, created_by)
  select founder, r.id, founded, founder, 'founded the tenant', founder
  from iam.roles as r
  where r.code = 'owner';

  if not found then
    raise exception 'role owner does not exist'
      using errcode = 'no_data_found',
            hint = 'Load the reference seed first.';
  end if;

  perform audit.log_security(
    'tenant.created',
    action => 'create_tenant',
    resource => 'iam.tenants',
    risk => 'medium',
    tenant => founded,
    details => jsonb_build_object('kind', create_tenant.kind, 'slug', create_tenant.slug, 'parent', create_tenant.parent_id)
  );

  return founded;
end
$$;

comment on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) is
  'Creates a tenant with the subtype row of its kind and makes the caller its owner. Requires '
  'permission tenant.configure in the parent.';

revoke all on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) from public;

grant execute on function iam.create_tenant(iam.tenant_kind, text, text, uuid, text) to authenticated;

-- schema/iam/_functions/end_membership.sql.j2

create function iam.end_membership()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  ended constant boolean := new.status = 'terminated' and old.status <> 'terminated';
  -- A new membership after one that was terminated or had expired.
  renewed constant boolean := new.status <> 'terminated'
    and (old.status = 'terminated' or (old.expires_at <= now() and new.expires_at is distinct from old.expires_at));
begin
  if not (ended or renewed) then
    if new.status = 'suspended' and old.status <> 'suspended' then
      perform iam.revoke_invitations_of(new.user_id, new.tenant_id);
    end if;

    return null;
  end if;

  update iam.user_roles
  set revoked_at = now()
  where tenant_id = new.tenant_id
    and user_id = new.user_id
    and revoked_at is null;

  -- Denials remain: a person does not lose them by leaving.
  delete from iam.permission_grants
  where tenant_id = new.tenant_id
    and user_id = new.user_id
    and effect = 'allow';

  delete from iam.unit_members
  where tenant_id = new.tenant_id
    and user_id = new.user_id;

  if ended then
    perform iam.revoke_invitations_of(new.user_id, new.tenant_id);

    update iam.invitations as i
    set revoked_at = now()
    from iam.profiles as p
    where p.id = new.user_id
      and i.tenant_id = new.tenant_id
      and lower(i.email) = lower(p.email)
      and i.accepted_at is null
      and i.revoked_at is null;
  end if;

  return null;
end
$$;

comment on function iam.end_membership() is
  'Trigger ba_end: with a membership end the roles, permissions and units of the person in the tenant and the open '
  'invitations by and to the person; a later membership starts without them. Suspension revokes the open '
  'invitations by the person.';

revoke all on function iam.end_membership() from public;

-- schema/iam/_functions/end_role.sql.j2

create function iam.end_role()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform iam.revoke_invitations_of(new.user_id, new.tenant_id);
  return null;
end
$$;

comment on function iam.end_role() is
  'Trigger ba_end: with a role in a tenant end the open invitations by its holder. An invitation also requires the '
  'right of its inviter when it is accepted: see iam.accept_invitation().';

revoke all on function iam.end_role() from public;

-- schema/iam/_functions/grant_permission.sql.j2

create function iam.grant_permission(
  permission_code text,
  effect iam.grant_effect,
  tenant uuid default null,
  person uuid default null,
  role_code text default null,
  expires timestamptz default null,
  reason text default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted_permission iam.permissions;
  wanted_role uuid;
  wanted_rank integer;
  granted uuid;
begin
  perform authz.assert_session('always');

  if person = auth.uid() then
    raise exception 'a permission cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
  elsif authz.may_on_platform('platform.grant') is not true or grant_permission.effect <> 'deny' then
    raise exception 'permission denied to grant a permission in every tenant'
      using errcode = 'insufficient_privilege';
  end if;

  select p.*
  into wanted_permission
  from iam.permissions as p
  where p.code = permission_code
    and (tenant is null or p.scope = 'tenant');

  if not found then
    raise exception 'permission % does not exist or does not apply in a tenant', permission_code
      using errcode = 'no_data_found';
  end if;

  if num_nonnulls(person, role_code) <> 1 or expires <= now() then
    raise exception 'either a person or a role is required, and an expiry in the future'
      using errcode = 'invalid_parameter_value';
  end if;

  if role_code is not null then
    select r.id
    into wanted_role
    from iam.roles as r
    where r.code = role_code
      and r.is_assignable
      and r.deleted_at is null;

    if not found then
      raise exception 'role % does not exist', role_code
        using errcode = 'no_data_found';
    end if;

    wanted_rank := authz.role_rank(wanted_role);
  else
    if tenant is not null
      and not exists (
        select
        from iam.memberships as m
        where m.tenant_id = tenant
          and m.user_id = person
          and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
      )
    then
      raise exception 'the person is not an active member of the tenant'
        using errcode = 'invalid_parameter_value';
    end if;

    wanted_rank := greatest(authz.held_rank(person, tenant), authz.rank_in(person, tenant));
  end if;

  -- A role that an owner holds too is denied by owners only; else an admin could oust them.
  if tenant is not null
    and grant_permission.effect = 'deny'
    and exists (
      select
      from iam.tenants as t
      join iam.user_roles as higher on higher.tenant_id = t.id or higher.tenant_id = any (t.ancestor_ids)
      join iam.user_roles as held on held.user_id = higher.user_id
      where t.id = grant_permission.tenant
        and higher.role_id in (
          select r.id from iam.roles as r where authz.role_rank(r.id) > authz.rank_in(auth.uid(), grant_permission.tenant)
        )
        and higher.unit_id is null
        and higher.revoked_at is null
        and (higher.expires_at is null or higher.expires_at > now())
        and held.role_id = wanted_role
        and (held.tenant_id = t.id or held.tenant_id = any (t.ancestor_ids))
        and held.unit_id is null
        and held.revoked_at is null
    )
  then
    raise exception 'permission denied to deny permission % to a role of an owner', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  -- Admins decide neither about owners nor about what they do not hold themselves; so no denial of their own ends.
  if tenant is not null
    and (
      authz.rank_in(auth.uid(), tenant) < wanted_rank
      or (
        (
          grant_permission.effect = 'allow'
          -- A denial that would end earlier.
          or exists (
            select
            from iam.permission_grants as g
            where (g.user_id = person or g.role_id = wanted_role)
              and g.permission_id = wanted_permission.id
              and g.tenant_id = grant_permission.tenant
              and g.unit_id is null
              and g.resource_id is null
              and g.effect = 'deny'
              and coalesce(g.expires_at, 'infinity') > coalesce(grant_permission.expires, 'infinity')
          )
        )
        and not exists (select from authz.governed_with(permission_code) as governed (id) where governed.id = tenant)
      )
    )
  then
    raise exception 'permission denied to grant permission %', permission_code
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.permission_grants (
    user_id, role_id, permission_id, tenant_id, effect, granted_by, expires_at, reason, created_by
  )
  values (
    person, wanted_role, wanted_permission.id, tenant, grant_permission.effect, auth.uid(), expires,
    core.safe_text(grant_permission.reason, 500), auth.uid()
  )
  on conflict (user_id, role_id, permission_id, tenant_id, unit_id, resource_id)
  do update
    set
      effect = excluded.effect,
      granted_by = excluded.granted_by,
      granted_at = now(),
      expires_at = excluded.expires_at,
      reason = excluded.reason
  returning id
  into granted;

  perform audit.log_security(
    'permission.granted',
    action => 'grant_permission',
    resource => permission_code,
    risk => case when wanted_permission.is_dangerous then 'high' else 'medium' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object(
      'permission_grant', granted,
      'effect', grant_permission.effect,
      'role', role_code,
      'granted_by', auth.uid(),
      'expires', expires
    ),
    person => person
  );

  return granted;
end
$$;

comment on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamptz, text) is
  'Allows or denies a permission in a tenant to another person or to the holders of a role, or changes such an '
  'exception, and returns its id. Requires permission role.grant, the rank of the person or role and of its holders, and '
  'the permission itself to allow it or to shorten a denial. Without a tenant, super admins deny it everywhere.';

revoke all on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamptz, text) from public;

grant execute on function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamptz, text) to authenticated;

-- schema/iam/_functions/grant_role.sql.j2

create function iam.grant_role(
  person uuid,
  role_code text,
  tenant uuid default null,
  unit uuid default null,
  expires timestamptz default null,
  reason text default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted_id uuid;
  wanted_tier iam.role_tier;
  granted uuid;
begin
  perform authz.assert_session('always');

  if person = auth.uid() then
    raise exception 'a role cannot be granted to oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null then
    perform iam.lock_tenant(tenant);
    perform authz.assert_permission('role.grant', tenant);
  elsif authz.may_on_platform('platform.grant') is not true then
    raise exception 'permission platform.grant is required'
      using errcode = 'insufficient_privilege';
  end if;

  select r.id, r.tier
  into wanted_id, wanted_tier
  from iam.roles as r
  where r.code = role_code
    and r.is_assignable
    and r.deleted_at is null
    -- Super admins and auditors have roles on the platform, all others in a tenant.
    and (r.tier = 'super_admin' or r.role_type = 'auditor') = (tenant is null);

  if not found then
    raise exception 'role % does not exist or cannot be granted %', role_code,
      case when tenant is null then 'on the platform' else 'in a tenant' end
      using errcode = 'no_data_found';
  end if;

  if tenant is not null
    and authz.rank_in(auth.uid(), tenant)
      < greatest(authz.role_rank(wanted_id), authz.held_rank(person, tenant), authz.rank_in(person, tenant))
  then
    raise exception 'permission denied to grant role %', role_code
      using errcode = 'insufficient_privilege';
  end if;

  if tenant is not null
    and not exists (
      select
      from iam.memberships as m
      where m.tenant_id = tenant
        and m.user_id = person
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    )
  then
    raise exception 'the person is not an active member of the tenant'
      using errcode = 'invalid_parameter_value';
  end if;

  if unit is not null
    and not exists (
      select
      from iam.units as u
      where u.id = unit
        and u.tenant_id = tenant
        and u.deleted_at is null
    )
  then
    raise exception 'the unit does not exist in the tenant'
      using errcode = 'invalid_parameter_value';
  end if;

  if expires <= now() then
    raise exception 'the role would have expired already'
      using errcode = 'invalid_parameter_value';
  end if;

  -- A time limit on the role of an owner would leave the tenant without one.
  if tenant is not null and expires is not null and authz.role_rank(wanted_id) = 2 and unit is null then
    perform iam.assert_other_owner(tenant, person);
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, unit_id, granted_by, expires_at, reason, created_by)
  values (
    person, wanted_id, tenant, unit, auth.uid(), expires, core.safe_text(grant_role.reason, 500), auth.uid()
  )
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null
  do update
    set expires_at = excluded.expires_at, granted_by = excluded.granted_by, reason = excluded.reason
  returning id
  into granted;

  perform audit.log_security(
    'role.granted',
    action => 'grant_role',
    resource => role_code,
    risk => case when wanted_tier = 'end_user' then 'medium' else 'high' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object('user_role', granted, 'granted_by', auth.uid(), 'unit', unit, 'expires', expires),
    person => person
  );

  return granted;
end
$$;

comment on function iam.grant_role(uuid, text, uuid, uuid, timestamptz, text) is
  'Grants a current member a role, or changes the expiry of a granted role, and returns the id of the row. Requires '
  'a second factor and permission role.grant in the tenant, or platform.grant for a role on the platform. Only owners '
  'grant the role of an owner and roles to an owner, only admins that of an admin, and callers none to themselves.';

revoke all on function iam.grant_role(uuid, text, uuid, uuid, timestamptz, text) from public;

grant execute on function iam.grant_role(uuid, text, uuid, uuid, timestamptz, text) to authenticated;

-- schema/iam/_functions/guard_domain_verification.sql.j2

create function iam.guard_domain_verification()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- No person is signed in: service_role, which verifies the token in DNS.
  if auth.uid() is null then
    return new;
  end if;

  if tg_op = 'UPDATE' and new.domain = old.domain then
    new.verified_at := old.verified_at;
    new.verification_token := old.verification_token;
  else
    new.verified_at := null;
    new.verification_token := replace(gen_random_uuid()::text, '-', '');
  end if;

  if new.default_role_id is not null
    and not exists (
      select
      from iam.roles as r
      where r.id = new.default_role_id
        and r.tier = 'end_user'
        and r.is_assignable
        and r.deleted_at is null
    )
  then
    raise exception 'the default role of a domain must be of tier end_user'
      using errcode = 'insufficient_privilege';
  end if;

  return new;
end
$$;

comment on function iam.guard_domain_verification() is
  'Trigger ab_verification: prevents a tenant from marking its own domain as verified, and limits the default '
  'role of a domain to the tier end_user.';

revoke all on function iam.guard_domain_verification() from public;

-- schema/iam/tenant_domains.sql.j2

create table iam.tenant_domains (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  domain text not null,
  verification_token text not null default replace(gen_random_uuid()::text, '-', ''),
  verified_at timestamptz,
  auto_join boolean not null default false,
  default_role_id uuid,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint tenant_domains_pkey primary key (id),
  constraint tenant_domains_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint tenant_domains_default_role_id_fkey foreign key (default_role_id) references iam.roles (id) on delete restrict,
  constraint tenant_domains_domain_check check (length(domain) <= 253 and domain = lower(domain) and domain ~ '^[a-z0-9.-]+\.[a-z]{2,}$')
);

comment on table iam.tenant_domains is
  'People with an address in a verified domain can join without an invitation if auto_join is set.';

comment on column iam.tenant_domains.verification_token is 'The token that the tenant publishes in DNS.';

comment on column iam.tenant_domains.verified_at is
  'Set by the service that verifies the token in DNS; until then the row has no effect.';

-- A domain is verified for one tenant only; several tenants can claim it.
create unique index tenant_domains_domain_key
  on iam.tenant_domains (domain)
  where verified_at is not null;

-- Foreign key: the referenced row is deleted or updated.
create index tenant_domains_tenant_id_idx
  on iam.tenant_domains (tenant_id);

-- Foreign key: the referenced row is deleted or updated.
create index tenant_domains_default_role_id_idx
  on iam.tenant_domains (default_role_id)
  where default_role_id is not null;

create trigger aa_touch
  before update on iam.tenant_domains
  for each row execute function core.touch();

create trigger ab_verification
  before insert or update on iam.tenant_domains
  for each row execute function iam.guard_domain_verification();

create trigger zz_audit
  after insert or update or delete on iam.tenant_domains
  for each row execute function audit.record_row(
    'full',
    'id',
    'verification_token',
    '',
    'tenant_id'
  );

alter table iam.tenant_domains enable row level security;

revoke all on iam.tenant_domains from public;

-- schema/iam/_functions/hand_over_ownership.sql.j2

create function iam.hand_over_ownership(tenant uuid, person uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  owner_role uuid;
begin
  perform authz.assert_session('always');
  perform iam.lock_tenant(tenant);
  perform authz.assert_permission('role.grant', tenant);

  if authz.held_rank(me, tenant) < 2 or authz.rank_in(me, tenant) < 2 then
    raise exception 'only an owner can hand over the ownership'
      using errcode = 'insufficient_privilege';
  end if;

  if person = me
    or not exists (
      select
      from iam.memberships as m
      join iam.profiles as p on p.id = m.user_id
      where m.tenant_id = tenant
        and m.user_id = person
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
        and m.expires_at is null
        and p.status = 'active'
        and authz.account_is_open(p.id)
    )
  then
    raise exception 'the ownership can be handed over to another active member only'
      using errcode = 'invalid_parameter_value';
  end if;

  select r.id
  into strict owner_role
  from iam.roles as r
  where r.code = 'owner';

  insert into iam.user_roles (user_id, role_id, tenant_id, granted_by, reason, created_by)
  values (person, owner_role, tenant, me, 'ownership handed over', me)
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null
  do update
    set expires_at = null, granted_by = excluded.granted_by, reason = excluded.reason;

  -- A denial from before would leave the tenant without a person who can grant roles.
  if not exists (
    select
    from authz.person_tenants_with(person, 'role.grant') as granting (id)
    where granting.id = tenant
  ) then
    raise exception 'permission role.grant is denied to the new owner'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'End the denial first: iam.revoke_permission().';
  end if;

  update iam.user_roles as ur
  set revoked_at = now(), reason = 'ownership handed over'
  from iam.roles as r
  where ur.user_id = me
    and ur.tenant_id = hand_over_ownership.tenant
    and ur.unit_id is null
    and ur.revoked_at is null
    and r.id = ur.role_id
    and r.role_type = 'owner';

  perform audit.log_security(
    'ownership.handed_over',
    action => 'hand_over_ownership',
    resource => 'iam.tenants',
    risk => 'high',
    tenant => tenant,
    details => jsonb_build_object('from', me, 'to', person),
    person => person
  );
end
$$;

comment on function iam.hand_over_ownership(uuid, uuid) is
  'Makes another active member an owner of the tenant in place of the caller, who keeps other roles.';

revoke all on function iam.hand_over_ownership(uuid, uuid) from public;

grant execute on function iam.hand_over_ownership(uuid, uuid) to authenticated;

-- schema/iam/_functions/invite.sql.j2

create function iam.invite(tenant uuid, email text, role_code text default 'member', unit uuid default null)
returns table (invitation_id uuid, token text)
language plpgsql
security definer
set search_path = ''
as $$
declare
  address constant text := lower(btrim(invite.email));
  wanted_id uuid;
  wanted_tier iam.role_tier;
begin
  perform authz.assert_session('always');
  perform authz.assert_permission('member.invite', tenant);

  select r.id, r.tier
  into wanted_id, wanted_tier
  from iam.roles as r
  where r.code = role_code
    and r.is_assignable
    and r.deleted_at is null
    and r.role_type <> 'auditor';

  if not found or authz.rank_in(auth.uid(), tenant) < authz.role_rank(wanted_id) then
    raise exception 'permission denied to invite as %', role_code
      using errcode = 'insufficient_privilege';
  end if;

  -- People cannot admit or promote themselves: iam.accept_invitation() also rejects the inviter.
  if exists (select from iam.profiles as p where p.id = auth.uid() and lower(p.email) = address) then
    raise exception 'an invitation to oneself is not possible'
      using errcode = 'insufficient_privilege';
  end if;

  if exists (
    select
    from iam.profiles as p
    join iam.memberships as m on m.user_id = p.id
    where lower(p.email) = address
      and p.erased_at is null
      and m.tenant_id = tenant
      and m.status in ('active', 'suspended')
  ) then
    raise exception 'the address belongs to a member of the tenant'
      using errcode = 'invalid_parameter_value',
            hint = 'Use iam.grant_role() or iam.set_membership_status().';
  end if;

  if unit is not null
    and not exists (
      select
      from iam.units as u
      where u.id = unit
        and u.tenant_id = tenant
        and u.deleted_at is null
    )
  then
    raise exception 'the unit does not exist in the tenant'
      using errcode = 'invalid_parameter_value';
  end if;

  -- An expired invitation makes room for a new one.
  update iam.invitations as i
  set revoked_at = now()
  where i.tenant_id = invite.tenant
    and lower(i.email) = address
    and i.accepted_at is null
    and i.revoked_at is null
    and i.expires_at <= now();

  -- Two random UUIDs: 244 bits from the server's strong source.
  token := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');

  insert into iam.invitations (tenant_id, email, role_id, unit_id, token_hash, invited_by, created_by)
  values (tenant, address, wanted_id, unit, sha256(token::bytea), auth.uid(), auth.uid())
  returning id
  into invitation_id;

  perform audit.log_security(
    'invitation.created',
    action => 'invite',
    resource => role_code,
    risk => case when wanted_tier = 'end_user' then 'low' else 'high' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object('invitation', invitation_id, 'unit', unit)
  );

  return next;
end
$$;

comment on function iam.invite(uuid, text, text, uuid) is
  'Invites an address to a tenant where the caller has permission member.invite, with a role of at most the caller''s '
  'rank. Returns the token once, for the mail; only its hash is stored. The invitation ends with the right of the '
  'caller.';

revoke all on function iam.invite(uuid, text, text, uuid) from public;

grant execute on function iam.invite(uuid, text, text, uuid) to authenticated;

-- schema/iam/_functions/join_by_domain.sql.j2

create function iam.join_by_domain(tenant uuid)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  wanted_id uuid;
  wanted_code text;
begin
  perform authz.assert_session('enrolled');

  select r.id, r.code
  into wanted_id, wanted_code
  from iam.tenant_domains as d
  join iam.tenants as t on t.id = d.tenant_id and t.status in ('trial', 'active') and t.deleted_at is null
  join iam.roles as r
    on (r.id = d.default_role_id or (d.default_role_id is null and r.code = 'member'))
    and r.tier = 'end_user'
    and r.role_type <> 'auditor'
    and r.is_assignable
    and r.deleted_at is null
  where d.tenant_id = tenant
    and d.verified_at is not null
    and d.auto_join
    -- An address with two @ has no domain.
    and d.domain = substring(authz.confirmed_address(me) from '^[^@[:space:]]+@([^@[:space:]]+)$');

  if not found then
    raise exception 'the tenant cannot be joined with the address of this account'
      using errcode = 'insufficient_privilege';
  end if;

  -- A person whose membership another person has suspended or ended needs that person's consent.
  insert into iam.memberships as m (tenant_id, user_id, status, approved_at, created_by)
  values (tenant, me, 'active', now(), me)
  on conflict (tenant_id, user_id) do update
    set status = 'active', ended_at = null, ended_by = null, expires_at = null, approved_at = now()
    where m.status = 'pending'
      or (m.status = 'terminated' and m.ended_by = me);

  if not found then
    raise exception 'the tenant cannot be joined with the address of this account'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.user_roles (user_id, role_id, tenant_id, reason, created_by)
  values (me, wanted_id, tenant, 'joined by the domain of the address', me)
  on conflict (user_id, role_id, tenant_id, unit_id) where revoked_at is null do nothing;

  perform audit.log_security(
    'membership.joined',
    action => 'join_by_domain',
    resource => wanted_code,
    risk => 'medium',
    tenant => tenant
  );

  return tenant;
end
$$;

comment on function iam.join_by_domain(uuid) is
  'Makes the caller a member of a tenant that has verified the domain of the caller''s confirmed address and set '
  'auto_join, with the default role of the domain. Rejected if another person has suspended or ended the membership.';

revoke all on function iam.join_by_domain(uuid) from public;

grant execute on function iam.join_by_domain(uuid) to authenticated;

-- schema/iam/_functions/limit_members.sql.j2

create function iam.limit_members()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  tenant_ids uuid[];
  tenant record;
begin
  if tg_op = 'INSERT' then
    tenant_ids := array(select distinct added.tenant_id from added where added.status = 'active');
  else
    tenant_ids := array(
      select distinct added.tenant_id
      from added
      join former on former.id = added.id
      where added.status = 'active'
        and (former.status, former.expires_at) is distinct from (added.status, added.expires_at)
    );
  end if;

  for tenant in
    select t.id, t.slug, t.user_limit
    from iam.tenants as t
    where t.id = any (tenant_ids)
    order by t.id
    for no key update
  loop
    if (
      select count(*)
      from iam.memberships as m
      where m.tenant_id = tenant.id
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    ) > tenant.user_limit then
      raise exception 'tenant % has reached its limit of % members', tenant.slug, tenant.user_limit
        using errcode = 'configuration_limit_exceeded';
    end if;
  end loop;

  return null;
end
$$;

comment on function iam.limit_members() is
  'Triggers bc_limit: raise configuration_limit_exceeded if a tenant has more current members than its user_limit '
  'after memberships were added or activated.';

revoke all on function iam.limit_members() from public;

-- schema/iam/memberships.sql.j2

create table iam.memberships (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  user_id uuid not null,
  relationship_type_id uuid,
  status iam.membership_status not null default 'active',
  invited_by uuid,
  approved_by uuid,
  joined_at timestamptz not null default now(),
  approved_at timestamptz,
  expires_at timestamptz,
  ended_at timestamptz,
  ended_by uuid,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  row_version integer not null default 1,
  constraint memberships_pkey primary key (id),
  constraint memberships_tenant_id_user_id_key unique (tenant_id, user_id),
  constraint memberships_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint memberships_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade,
  constraint memberships_relationship_type_id_fkey
    foreign key (relationship_type_id) references iam.relationship_types (id) on delete restrict,
  constraint memberships_invited_by_fkey foreign key (invited_by) references iam.profiles (id) on delete set null,
  constraint memberships_approved_by_fkey foreign key (approved_by) references iam.profiles (id) on delete set null,
  constraint memberships_ended_by_fkey foreign key (ended_by) references iam.profiles (id) on delete set null
);

comment on table iam.memberships is
  'The membership of a person in a tenant. The roles of the person in the tenant are in iam.user_roles; they '
  'end with this row.';

comment on column iam.memberships.ended_by is
  'The person who ended the membership. Who ended their own can join again; else an invitation is required.';

comment on column iam.memberships.expires_at is
  'From this time the membership gives no access; null: unlimited.';

-- Policy: tenants of a person; a person's memberships when the person is erased.
create index memberships_user_id_status_tenant_id_idx on iam.memberships (user_id, status, tenant_id);

-- Member list of a tenant.
create index memberships_tenant_id_status_joined_at_idx on iam.memberships (tenant_id, status, joined_at desc);

-- Foreign key: the referenced row is deleted or updated.
create index memberships_invited_by_idx
  on iam.memberships (invited_by)
  where invited_by is not null;

-- Foreign key: the referenced row is deleted or updated.
create index memberships_approved_by_idx
  on iam.memberships (approved_by)
  where approved_by is not null;

-- Foreign key: the referenced row is deleted or updated.
create index memberships_ended_by_idx
  on iam.memberships (ended_by)
  where ended_by is not null;

create trigger aa_touch
  before update on iam.memberships
  for each row execute function core.touch('row_version');

create trigger ba_end
  after update of status, expires_at on iam.memberships
  for each row execute function iam.end_membership();

create trigger bc_limit_inserted
  after insert on iam.memberships
  referencing new table as added
  for each statement execute function iam.limit_members();

create trigger bc_limit_updated
  after update on iam.memberships
  referencing old table as former new table as added
  for each statement execute function iam.limit_members();

create trigger zz_audit
  after insert or update or delete on iam.memberships
  for each row execute function audit.record_row(
    'full',
    'id',
    'user_id',
    'user_id',
    'tenant_id'
  );

create trigger bz_direct_change
  after insert or update or delete on iam.memberships
  for each row when (current_user <> 'aigym_owner')
  execute function audit.record_direct_change();

alter table iam.memberships enable row level security;

revoke all on iam.memberships from public;

-- Functions in authz read it.
grant select on iam.memberships to aigym_authz;

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

-- schema/iam/unit_members.sql.j2

create table iam.unit_members (
  tenant_id uuid not null,
  unit_id uuid not null,
  user_id uuid not null,
  is_primary boolean not null default false,
  is_lead boolean not null default false,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint unit_members_pkey primary key (unit_id, user_id),
  constraint unit_members_tenant_id_unit_id_fkey
    foreign key (tenant_id, unit_id) references iam.units (tenant_id, id) on delete cascade,
  constraint unit_members_tenant_id_user_id_fkey
    foreign key (tenant_id, user_id) references iam.memberships (tenant_id, user_id) on delete cascade
);

comment on table iam.unit_members is
  'Unit and person belong to the same tenant: the tenant is part of both foreign keys.';

-- Units of a person; a person's units when the membership ends.
create index unit_members_user_id_unit_id_idx on iam.unit_members (user_id, unit_id);

-- One primary unit per person and tenant.
create unique index unit_members_tenant_id_user_id_key
  on iam.unit_members (tenant_id, user_id)
  where is_primary;

-- Policy: rows of a tenant.
create index unit_members_tenant_id_idx on iam.unit_members (tenant_id);

create trigger aa_touch
  before update on iam.unit_members
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on iam.unit_members
  for each row execute function audit.record_row(
    'diff',
    'unit_id,user_id',
    'user_id',
    'user_id',
    'tenant_id'
  );

alter table iam.unit_members enable row level security;

revoke all on iam.unit_members from public;

-- Functions in authz read it.
grant select on iam.unit_members to aigym_authz;

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

-- schema/iam/user_roles.sql.j2

create table iam.user_roles (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  role_id uuid not null,
  tenant_id uuid,
  unit_id uuid,
  granted_by uuid,
  granted_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  reason text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint user_roles_pkey primary key (id),
  constraint user_roles_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade,
  constraint user_roles_role_id_fkey foreign key (role_id) references iam.roles (id) on delete restrict,
  constraint user_roles_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint user_roles_tenant_id_user_id_fkey
    foreign key (tenant_id, user_id) references iam.memberships (tenant_id, user_id) on delete cascade,
  constraint user_roles_tenant_id_unit_id_fkey
    foreign key (tenant_id, unit_id) references iam.units (tenant_id, id) on delete cascade,
  constraint user_roles_granted_by_fkey foreign key (granted_by) references iam.profiles (id) on delete set null,
  constraint user_roles_unit_id_check check (unit_id is null or tenant_id is not null)
);

comment on table iam.user_roles is
  'Written by functions and service_role only. Read by every statement, so a '
  'revocation takes effect at once.';

comment on column iam.user_roles.tenant_id is 'Null: a role on the platform (super admin, auditor).';

comment on column iam.user_roles.unit_id is
  'If set, the role applies in that unit only and has no effect on the rest of the tenant.';

-- An active role is granted once.
create unique index user_roles_user_id_role_id_tenant_id_unit_id_key
  on iam.user_roles (user_id, role_id, tenant_id, unit_id) nulls not distinct
  where revoked_at is null;

-- Policy: roles of a person, by index-only scan; a person's roles when the person is erased.
create index user_roles_user_id_idx
  on iam.user_roles (user_id) include (role_id, tenant_id, unit_id, expires_at, revoked_at);

-- Admins of a tenant.
create index user_roles_tenant_id_role_id_idx
  on iam.user_roles (tenant_id, role_id)
  where revoked_at is null;

-- Roles that end with a membership or a tenant; policy: platform-wide roles, whose tenant is null.
create index user_roles_tenant_id_user_id_idx on iam.user_roles (tenant_id, user_id);

-- Expiry job.
create index user_roles_expires_at_idx
  on iam.user_roles (expires_at)
  where expires_at is not null and revoked_at is null;

-- Foreign key: the referenced row is deleted or updated.
create index user_roles_role_id_idx
  on iam.user_roles (role_id);

-- Foreign key: the referenced row is deleted or updated.
create index user_roles_unit_id_idx
  on iam.user_roles (unit_id)
  where unit_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index user_roles_granted_by_idx
  on iam.user_roles (granted_by)
  where granted_by is not null;

create trigger aa_touch
  before update on iam.user_roles
  for each row execute function core.touch();

create trigger ba_end
  after update of revoked_at on iam.user_roles
  for each row when (old.revoked_at is null and new.revoked_at is not null and new.tenant_id is not null)
  execute function iam.end_role();

create trigger zz_audit
  after insert or update or delete on iam.user_roles
  for each row execute function audit.record_row(
    'full',
    'id',
    'user_id',
    'user_id',
    'tenant_id'
  );

create trigger bz_direct_change
  after insert or update or delete on iam.user_roles
  for each row when (current_user <> 'aigym_owner')
  execute function audit.record_direct_change();

alter table iam.user_roles enable row level security;

revoke all on iam.user_roles from public;

-- Functions in authz read it.
grant select on iam.user_roles to aigym_authz;

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

-- schema/iam/_functions/lock_tenant.sql.j2

create function iam.lock_tenant(tenant uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform
  from iam.tenants as t
  where t.id = lock_tenant.tenant
  for no key update;
end
$$;

comment on function iam.lock_tenant(uuid) is
  'Locks a tenant until the transaction ends. Functions that change its members, owners or status lock it before '
  'they test conditions, so that concurrent calls cannot remove the last owner or exceed the member limit.';

revoke all on function iam.lock_tenant(uuid) from public;

-- schema/iam/_functions/repair_profiles.sql.j2

create function iam.repair_profiles(out repaired integer, out failing integer)
language plpgsql
security definer
set search_path = ''
as $$
declare
  account record;
  failure record;
  failed_state text;
  violated text;
begin
  repaired := 0;

  for account in select * from authz.unrepaired_accounts() loop
    begin
      perform iam.create_profile(account.id, account.email, account.metadata);

      update iam.profiles as p
      set email = iam.address_of(account.id, account.email)
      where p.id = account.id
        and p.erased_at is null
        and p.email <> iam.address_of(account.id, account.email);

      repaired := repaired + 1;

      update iam.account_failures as f
      set repaired_at = now()
      where f.user_id = account.id
        and f.step in ('profile', 'email')
        and f.repaired_at is null;
    exception
      when others then
        get stacked diagnostics failed_state = returned_sqlstate, violated = constraint_name;

        -- An account can lack its profile without a recorded failure: it is older than the trigger.
        if not exists (
          select
          from iam.account_failures as f
          where f.user_id = account.id
            and f.step = 'profile'
            and f.repaired_at is null
        ) then
          perform iam.record_account_failure(account.id, 'profile', failed_state, violated);
        end if;
    end;
  end loop;

  for failure in
    select f.id, f.user_id, f.event_code, f.occurred_at
    from iam.account_failures as f
    where f.step = 'factor'
      and f.repaired_at is null
    order by f.occurred_at, f.id
  loop
    begin
      perform audit.log_security(
        failure.event_code, 'second_factor',
        details => jsonb_build_object('occurred_at', failure.occurred_at),
        person => failure.user_id
      );

      update iam.account_failures as f
      set repaired_at = now()
      where f.id = failure.id;

      repaired := repaired + 1;
    exception
      when others then
        null; -- remains listed as not repaired
    end;
  end loop;

  -- The address was copied by a later change of it.
  update iam.account_failures as f
  set repaired_at = now()
  where f.step = 'email'
    and f.repaired_at is null
    and f.user_id not in (select u.id from authz.unrepaired_accounts() as u);

  select count(*)
  into failing
  from iam.account_failures as f
  where f.repaired_at is null;
end
$$;

comment on function iam.repair_profiles() is
  'Creates missing profiles, copies addresses that differ and records security events, as far as the triggers '
  'on auth failed to. Returns the number of repairs and of failures that remain. Can be run at any time.';

revoke all on function iam.repair_profiles() from public;

grant execute on function iam.repair_profiles() to aigym_job, service_role;

-- schema/iam/_functions/request_membership.sql.j2

create function iam.request_membership(tenant uuid)
returns iam.membership_status
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  policy text;
  reached iam.membership_status;
begin
  perform authz.assert_session('enrolled');

  select c.join_policy
  into policy
  from iam.communities as c
  join iam.tenants as t on t.id = c.id and t.status in ('trial', 'active') and t.deleted_at is null
  where c.id = tenant
    and t.visibility = 'public'
    and c.join_policy in ('open', 'request');

  if not found then
    raise exception 'the tenant accepts no requests'
      using errcode = 'insufficient_privilege';
  end if;

  insert into iam.memberships as m (tenant_id, user_id, status, created_by)
  values (tenant, me, case policy when 'open' then 'active' else 'pending' end, me)
  on conflict (tenant_id, user_id) do update
    set status = excluded.status, ended_at = null, ended_by = null, expires_at = null
    where m.status = 'terminated'
      and m.ended_by = me
  returning m.status
  into reached;

  if not found then
    raise exception 'the tenant accepts no requests'
      using errcode = 'insufficient_privilege';
  end if;

  perform audit.log_security(
    case policy when 'open' then 'membership.joined' else 'membership.requested' end,
    action => 'request_membership',
    resource => 'iam.memberships',
    tenant => tenant
  );

  return reached;
end
$$;

comment on function iam.request_membership(uuid) is
  'Joins a public community whose join policy is open, or requests a membership that an admin approves, and returns '
  'its status. The new member has no role. Rejected if another person has suspended or ended the membership.';

revoke all on function iam.request_membership(uuid) from public;

grant execute on function iam.request_membership(uuid) to authenticated;

-- schema/iam/_functions/revoke_invitation.sql.j2

create function iam.revoke_invitation(invitation uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  revoked record;
begin
  perform authz.assert_session('always');

  update iam.invitations as i
  set revoked_at = now()
  where i.id = invitation
    and i.accepted_at is null
    and i.revoked_at is null
    and i.tenant_id = any (array(select authz.governed_with('member.invite')))
    and authz.rank_in(auth.uid(), i.tenant_id) >= authz.role_rank(i.role_id)
  returning i.tenant_id, i.role_id
  into revoked;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'invitation.revoked',
    action => 'revoke_invitation',
    resource => (select r.code from iam.roles as r where r.id = revoked.role_id),
    tenant => revoked.tenant_id,
    details => jsonb_build_object('invitation', invitation)
  );

  return true;
end
$$;

comment on function iam.revoke_invitation(uuid) is
  'Revokes an open invitation. Returns false if there is none, or the caller cannot invite with its role.';

revoke all on function iam.revoke_invitation(uuid) from public;

grant execute on function iam.revoke_invitation(uuid) to authenticated;

-- schema/iam/_functions/revoke_invitations_of.sql.j2

create function iam.revoke_invitations_of(person uuid, tenant uuid)
returns void
language sql
security definer
set search_path = ''
as $$
  update iam.invitations as i
  set revoked_at = now()
  from iam.tenants as t
  where i.invited_by = revoke_invitations_of.person
    and i.accepted_at is null
    and i.revoked_at is null
    and t.id = i.tenant_id
    and (t.id = revoke_invitations_of.tenant or revoke_invitations_of.tenant = any (t.ancestor_ids))
$$;

comment on function iam.revoke_invitations_of(uuid, uuid) is
  'Revokes the open invitations by a person to a tenant and those below it.';

revoke all on function iam.revoke_invitations_of(uuid, uuid) from public;

-- schema/iam/_functions/revoke_permission.sql.j2

create function iam.revoke_permission(permission_grant uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  held record;
begin
  perform authz.assert_session('always');

  select g.user_id, g.role_id, g.tenant_id, g.effect, p.code, p.is_dangerous
  into held
  from iam.permission_grants as g
  join iam.permissions as p on p.id = g.permission_id
  where g.id = permission_grant;

  -- The same result for an exception that does not exist and for one that the caller cannot revoke.
  if not found then
    return false;
  end if;

  if held.tenant_id is null then
    if authz.may_on_platform('platform.grant') is not true then
      return false;
    end if;
  elsif not exists (select from authz.governed_with('role.grant') as governed (id) where governed.id = held.tenant_id) then
    return false;
  end if;

  -- The end of a denial gives a permission: the caller must hold it, and the denial must not be their own.
  if held.user_id = auth.uid()
    or (
      held.tenant_id is not null
      and (
        authz.rank_in(auth.uid(), held.tenant_id)
          < coalesce(
            authz.role_rank(held.role_id),
            greatest(authz.held_rank(held.user_id, held.tenant_id), authz.rank_in(held.user_id, held.tenant_id))
          )
        or (
          held.effect = 'deny'
          and not exists (select from authz.governed_with(held.code) as governed (id) where governed.id = held.tenant_id)
        )
      )
    )
    or (
      held.tenant_id is null
      and held.role_id in (
        select ur.role_id
        from iam.user_roles as ur
        where ur.user_id = auth.uid()
          and ur.revoked_at is null
      )
    )
  then
    raise exception 'permission denied to revoke this exception of permission %', held.code
      using errcode = 'insufficient_privilege';
  end if;

  delete from iam.permission_grants as g
  where g.id = permission_grant;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'permission.revoked',
    action => 'revoke_permission',
    resource => held.code,
    risk => case when held.is_dangerous then 'high' else 'medium' end::audit.risk_level,
    tenant => held.tenant_id,
    details => jsonb_build_object(
      'permission_grant', permission_grant, 'effect', held.effect, 'role', held.role_id, 'revoked_by', auth.uid()
    ),
    person => held.user_id
  );

  return true;
end
$$;

comment on function iam.revoke_permission(uuid) is
  'Deletes an exception that iam.grant_permission() created, under the same conditions, and never one of the caller''s '
  'own. Returns false if it does not exist or the caller lacks permission role.grant.';

revoke all on function iam.revoke_permission(uuid) from public;

grant execute on function iam.revoke_permission(uuid) to authenticated;

-- schema/iam/_functions/revoke_role.sql.j2

create function iam.revoke_role(user_role uuid, reason text default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  held record;
begin
  perform authz.assert_session('always');

  select ur.user_id, ur.tenant_id, ur.unit_id, ur.role_id, r.code, r.tier
  into held
  from iam.user_roles as ur
  join iam.roles as r on r.id = ur.role_id
  where ur.id = user_role
    and ur.revoked_at is null;

  -- The same result for a role that does not exist and for one that the caller cannot revoke.
  if not found then
    return false;
  end if;

  if held.tenant_id is null then
    if authz.may_on_platform('platform.grant') is not true then
      return false;
    end if;

    -- Of two super admins who revoke each other, the second finds that the first is none any more.
    perform
    from iam.user_roles as ur
    join iam.roles as r on r.id = ur.role_id
    where ur.tenant_id is null
      and ur.revoked_at is null
      and r.tier = 'super_admin'
    order by ur.id
    for update of ur;

    perform authz.assert_session('always');

    if authz.may_on_platform('platform.grant') is not true then
      return false;
    end if;
  else
    perform iam.lock_tenant(held.tenant_id);

    if not exists (select from authz.governed_with('role.grant') as governed (id) where governed.id = held.tenant_id) then
      return false;
    end if;

    if authz.rank_in(auth.uid(), held.tenant_id)
      < greatest(
        authz.role_rank(held.role_id),
        authz.held_rank(held.user_id, held.tenant_id),
        authz.rank_in(held.user_id, held.tenant_id)
      )
    then
      raise exception 'permission denied to revoke role % of this person', held.code
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  if held.user_id = auth.uid() then
    raise exception 'a role cannot be revoked from oneself'
      using errcode = 'insufficient_privilege';
  end if;

  if held.tenant_id is not null and authz.role_rank(held.role_id) = 2 and held.unit_id is null then
    perform iam.assert_other_owner(held.tenant_id, held.user_id);
  end if;

  update iam.user_roles
  set revoked_at = now(), reason = coalesce(core.safe_text(revoke_role.reason, 500), user_roles.reason)
  where id = user_role
    and revoked_at is null;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'role.revoked',
    action => 'revoke_role',
    resource => held.code,
    risk => case when held.tier = 'end_user' then 'medium' else 'high' end::audit.risk_level,
    tenant => held.tenant_id,
    details => jsonb_build_object('user_role', user_role, 'revoked_by', auth.uid()),
    person => held.user_id
  );

  return true;
end
$$;

comment on function iam.revoke_role(uuid, text) is
  'Revokes a granted role at once. Returns false if it does not exist or the caller lacks permission role.grant in '
  'its tenant. Only owners revoke a role of an owner, and not of the last one; callers revoke none of their own.';

revoke all on function iam.revoke_role(uuid, text) from public;

grant execute on function iam.revoke_role(uuid, text) to authenticated;

-- schema/iam/_functions/set_membership_status.sql.j2

create function iam.set_membership_status(
  tenant uuid,
  person uuid,
  status iam.membership_status,
  reason text default null
)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  former iam.membership_status;
  change text;
begin
  perform authz.assert_session(case when person = me and status = 'terminated' then 'enrolled' else 'always' end);
  perform iam.lock_tenant(tenant);

  if person is distinct from me then
    perform authz.assert_permission('member.manage', tenant);

    if authz.rank_in(me, tenant) < greatest(authz.held_rank(person, tenant), authz.rank_in(person, tenant)) then
      raise exception 'permission denied for a member of higher rank'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  select m.status
  into former
  from iam.memberships as m
  where m.tenant_id = set_membership_status.tenant
    and m.user_id = person
  for update;

  if not found then
    return false;
  end if;

  -- Members only leave; suspension ends by another person.
  change := case
    when person = me then
      case when set_membership_status.status = 'terminated' and former in ('active', 'pending') then 'left' end
    when former = 'pending' and set_membership_status.status = 'active' then 'approved'
    when former = 'active' and set_membership_status.status = 'suspended' then 'suspended'
    when former = 'suspended' and set_membership_status.status = 'active' then 'reactivated'
    when former <> 'terminated' and set_membership_status.status = 'terminated' then 'ended'
  end;

  if change is null then
    raise exception 'permission denied to change this membership from % to %', former, set_membership_status.status
      using errcode = 'insufficient_privilege',
            hint = 'A membership that has ended is renewed by an invitation.';
  end if;

  if set_membership_status.status in ('suspended', 'terminated') and authz.held_rank(person, tenant) = 2 then
    perform iam.assert_other_owner(tenant, person);
  end if;

  update iam.memberships as m
  set
    status = set_membership_status.status,
    approved_by = case when change = 'approved' then me else m.approved_by end,
    approved_at = case when change = 'approved' then now() else m.approved_at end,
    ended_by = case when set_membership_status.status = 'terminated' then me end,
    ended_at = case when set_membership_status.status = 'terminated' then now() end
  where m.tenant_id = set_membership_status.tenant
    and m.user_id = person;

  perform audit.log_security(
    'membership.' || change,
    action => 'set_membership_status',
    resource => 'iam.memberships',
    risk => case when change in ('approved', 'left') then 'low' else 'medium' end::audit.risk_level,
    tenant => tenant,
    details => jsonb_build_object('from', former, 'to', set_membership_status.status, 'by', me, 'reason', left(reason, 500)),
    person => person
  );

  return true;
end
$$;

comment on function iam.set_membership_status(uuid, uuid, iam.membership_status, text) is
  'Approves, suspends, reactivates or ends the membership of another person with permission member.manage, or ends '
  'the caller''s own. An admin cannot act on an owner, and the last owner cannot leave. A membership that has ended '
  'is renewed by invitation only. Returns false if there is no membership.';

revoke all on function iam.set_membership_status(uuid, uuid, iam.membership_status, text) from public;

grant execute on function iam.set_membership_status(uuid, uuid, iam.membership_status, text) to authenticated;

-- schema/iam/_functions/set_role_permission.sql.j2

create function iam.set_role_permission(role_code text, permission_code text, granted boolean)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted_role uuid;
  wanted_permission uuid;
begin
  perform authz.assert_session('always');

  if authz.may_on_platform('platform.grant') is not true then
    raise exception 'permission platform.grant is required'
      using errcode = 'insufficient_privilege';
  end if;

  select r.id, p.id
  into wanted_role, wanted_permission
  from iam.roles as r
  cross join iam.permissions as p
  where r.code = role_code
    and r.deleted_at is null
    and p.code = permission_code;

  if not found then
    raise exception 'role % or permission % does not exist', role_code, permission_code
      using errcode = 'no_data_found';
  end if;

  if granted then
    insert into iam.role_permissions (role_id, permission_id, created_by)
    values (wanted_role, wanted_permission, auth.uid())
    on conflict (role_id, permission_id) do nothing;
  else
    delete from iam.role_permissions as rp
    where rp.role_id = wanted_role
      and rp.permission_id = wanted_permission;
  end if;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'role.changed',
    action => 'set_role_permission',
    resource => role_code,
    risk => 'critical',
    details => jsonb_build_object('permission', permission_code, 'granted', granted)
  );

  return true;
end
$$;

comment on function iam.set_role_permission(text, text, boolean) is
  'Adds a permission to a role in all tenants, or removes it, with permission platform.grant. Returns false if nothing '
  'changes.';

revoke all on function iam.set_role_permission(text, text, boolean) from public;

grant execute on function iam.set_role_permission(text, text, boolean) to authenticated;

-- schema/iam/_functions/set_tenant_status.sql.j2

create function iam.set_tenant_status(tenant uuid, status iam.tenant_status, reason text default null)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  former iam.tenant_status;
begin
  perform authz.assert_session('always');
  perform iam.lock_tenant(tenant);

  -- Owners request the closure of their tenant; the rest is decided by the platform.
  if authz.may_on_platform('tenant.suspend') is not true then
    perform authz.assert_permission('tenant.close', tenant);

    if set_tenant_status.status is distinct from 'closing' or authz.rank_in(auth.uid(), tenant) < 2 then
      raise exception 'only the closure of a tenant can be requested, by its owner'
        using errcode = 'insufficient_privilege';
    end if;
  end if;

  select t.status
  into former
  from iam.tenants as t
  where t.id = tenant
    and t.deleted_at is null;

  if former is null or set_tenant_status.status is null or set_tenant_status.status not in ('active', 'suspended', 'closing') then
    raise exception 'a tenant that exists and one of the statuses active, suspended and closing are required'
      using errcode = 'invalid_parameter_value';
  end if;

  if set_tenant_status.status = 'closing'
    and exists (
      select
      from iam.tenants as below
      where below.parent_id = tenant
        and below.deleted_at is null
        and below.status <> 'closing'
    )
  then
    raise exception 'a tenant with tenants below it cannot be closed'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Close the tenants below it first.';
  end if;

  update iam.tenants as t
  set status = set_tenant_status.status
  where t.id = tenant;

  perform audit.log_security(
    'tenant.' || case set_tenant_status.status when 'active' then 'reactivated' else set_tenant_status.status end,
    action => 'set_tenant_status',
    resource => 'iam.tenants',
    risk => 'high',
    tenant => tenant,
    details => jsonb_build_object('from', former, 'to', set_tenant_status.status, 'reason', left(reason, 500))
  );
end
$$;

comment on function iam.set_tenant_status(uuid, iam.tenant_status, text) is
  'Suspends, reactivates or closes a tenant, with permission tenant.suspend on the platform; an owner with permission '
  'tenant.close requests the closure. A suspended or closing tenant is closed to its members and admins at once.';

revoke all on function iam.set_tenant_status(uuid, iam.tenant_status, text) from public;

grant execute on function iam.set_tenant_status(uuid, iam.tenant_status, text) to authenticated;

-- schema/platform/languages.sql.j2

create table platform.languages (
  id uuid not null default gen_random_uuid(),
  code text not null,
  name text not null,
  native_name text not null,
  writing_direction text not null default 'ltr',
  text_search_config regconfig not null default 'simple',
  is_supported boolean not null default false,
  is_default boolean not null default false,
  display_order smallint not null default 100,
  completion_percent numeric(5, 2) not null default 0,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint languages_pkey primary key (id),
  constraint languages_code_key unique (code),
  constraint languages_code_check check (code ~ '^[a-z]{2}(-[A-Z]{2})?$'),
  constraint languages_name_check check (length(name) between 1 and 100),
  constraint languages_native_name_check check (length(native_name) between 1 and 100),
  constraint languages_writing_direction_check check (writing_direction in ('ltr', 'rtl', 'ttb')),
  constraint languages_completion_percent_check check (completion_percent between 0 and 100)
);

comment on table platform.languages is 'Referenced by code, which clients send.';

comment on column platform.languages.is_supported is 'Whether people can select the language.';

-- One default at most; the language of people without a preference.
create unique index languages_is_default_key
  on platform.languages ((true))
  where is_default;

create trigger aa_touch
  before update on platform.languages
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on platform.languages
  for each row execute function audit.record_row(
    'diff',
    'id',
    '',
    '',
    ''
  );

alter table platform.languages enable row level security;

revoke all on platform.languages from public;

-- schema/media/media_types.sql.j2

create table media.media_types (
  id uuid not null default gen_random_uuid(),
  code text not null,
  name text not null,
  description text,
  allowed_mime_types text[] not null,
  max_file_size_bytes bigint not null,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint media_types_pkey primary key (id),
  constraint media_types_code_key unique (code),
  constraint media_types_code_check check (code in ('image', 'video', 'audio', 'document')),
  constraint media_types_name_check check (length(name) between 1 and 100),
  constraint media_types_description_check check (length(description) <= 1000),
  constraint media_types_allowed_mime_types_check check (
    cardinality(allowed_mime_types) between 1 and 50 and pg_column_size(allowed_mime_types) <= 8192
  ),
  constraint media_types_max_file_size_bytes_check check (max_file_size_bytes > 0)
);

comment on table media.media_types is
  'Read by the upload service before it signs a URL, and by the trigger ab_check of media.media.';

create trigger aa_touch
  before update on media.media_types
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on media.media_types
  for each row execute function audit.record_row(
    'diff',
    'id',
    '',
    '',
    ''
  );

alter table media.media_types enable row level security;

revoke all on media.media_types from public;

-- schema/media/_functions/check_file.sql.j2

create function media.check_file()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  kind media.media_types;
  limit_bytes bigint;
  used_bytes bigint;
begin
  if tg_op = 'INSERT'
    or (new.media_type_id, new.mime_type, new.file_size_bytes)
      is distinct from (old.media_type_id, old.mime_type, old.file_size_bytes)
  then
    select t.*
    into kind
    from media.media_types as t
    where t.id = new.media_type_id;

    if not (new.mime_type = any (kind.allowed_mime_types)) then
      raise exception 'files of type % cannot have the format %', kind.code, new.mime_type
        using errcode = 'check_violation';
    end if;

    if new.file_size_bytes > kind.max_file_size_bytes then
      raise exception 'files of type % can have % bytes at most', kind.code, kind.max_file_size_bytes
        using errcode = 'check_violation';
    end if;
  end if;

  if new.tenant_id is not null
    and new.deleted_at is null
    and (
      tg_op = 'INSERT'
      or new.tenant_id is distinct from old.tenant_id
      or old.deleted_at is not null
      or new.file_size_bytes > old.file_size_bytes
    )
  then
    -- Without the lock, two concurrent transactions would each see enough space for their own file.
    select t.storage_limit_mb * 1048576
    into limit_bytes
    from iam.tenants as t
    where t.id = new.tenant_id
    for no key update;

    select coalesce(sum(m.file_size_bytes), 0)
    into used_bytes
    from media.media as m
    where m.tenant_id = new.tenant_id
      and m.deleted_at is null
      and m.id <> new.id;

    if used_bytes + new.file_size_bytes > limit_bytes then
      raise exception 'the storage limit of the tenant is exceeded'
        using errcode = 'check_violation',
              detail = format(
                '%s bytes are used, the file has %s, the limit is %s.', used_bytes, new.file_size_bytes, limit_bytes
              ),
              hint = 'Delete files, or ask for a higher limit.';
    end if;
  end if;

  return new;
end
$$;

comment on function media.check_file() is
  'Trigger ab_check: rejects a file whose format or size its type does not allow, and one that would exceed '
  'tenants.storage_limit_mb. Deleted files do not count.';

revoke all on function media.check_file() from public;

-- schema/media/_functions/delete_personal_files.sql.j2

create function media.delete_personal_files()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- The foreign key sets the owner of the other files to null; a file without tenant and owner belongs to the platform.
  delete from media.media as m
  where m.owner_id = old.id
    and m.tenant_id is null;

  return old;
end
$$;

comment on function media.delete_personal_files() is
  'Trigger ba_personal_files: deletes the files without a tenant of a person who is deleted.';

revoke all on function media.delete_personal_files() from public;

-- schema/media/media.sql.j2

create table media.media (
  id uuid not null default gen_random_uuid(),
  media_type_id uuid not null,
  tenant_id uuid,
  owner_id uuid default auth.uid(),
  visibility core.visibility_level not null default 'private',
  bucket text not null default 'media',
  object_key text not null default gen_random_uuid()::text,
  filename text not null,
  mime_type text not null,
  file_size_bytes bigint not null,
  content_sha256 bytea,
  status text not null default 'uploading',
  alt_text text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  constraint media_pkey primary key (id),
  constraint media_bucket_object_key_key unique (bucket, object_key),
  constraint media_media_type_id_fkey foreign key (media_type_id) references media.media_types (id) on delete restrict,
  constraint media_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint media_owner_id_fkey foreign key (owner_id) references iam.profiles (id) on delete set null,
  constraint media_bucket_check check (length(bucket) between 1 and 63),
  constraint media_object_key_check check (length(object_key) between 1 and 1024),
  constraint media_mime_type_check check (length(mime_type) <= 127),
  constraint media_alt_text_check check (length(alt_text) <= 1000),
  constraint media_filename_check check (length(filename) between 1 and 255),
  constraint media_file_size_bytes_check check (file_size_bytes > 0),
  constraint media_content_sha256_check check (octet_length(content_sha256) = 32),
  constraint media_status_check check (status in ('uploading', 'ready', 'quarantined', 'failed'))
);

-- The trigger that registers a row in core.resources follows with that table.
comment on table media.media is 'Metadata of an object; its content is not stored in PostgreSQL.';

comment on column media.media.object_key is 'Set by the server: a client that chose it could have any object delivered.';

comment on column media.media.status is 'Set to ready by the service that received and checked the object.';

comment on column media.media.tenant_id is 'Null: a private file of its owner, or a file of the platform.';

-- The upload service looks for a stored object with the same content.
create index media_content_sha256_idx
  on media.media (content_sha256)
  where content_sha256 is not null;

-- Files of a person; a person's files when the person is erased.
create index media_owner_id_idx
  on media.media (owner_id)
  where owner_id is not null;

-- Media library of a tenant; media.check_file(): storage used by a tenant.
create index media_tenant_id_media_type_id_created_at_idx
  on media.media (tenant_id, media_type_id, created_at desc) include (file_size_bytes, deleted_at);

-- Policy: public files.
create index media_visibility_idx
  on media.media (visibility)
  where deleted_at is null;

-- Foreign key: the referenced row is deleted or updated.
create index media_media_type_id_idx
  on media.media (media_type_id);

create trigger aa_touch
  before update on media.media
  for each row execute function core.touch();

create trigger ab_check
  before insert or update of media_type_id, mime_type, file_size_bytes, tenant_id, deleted_at on media.media
  for each row execute function media.check_file();

create trigger ba_personal_files
  before delete on iam.profiles
  for each row execute function media.delete_personal_files();

alter table media.media enable row level security;

revoke all on media.media from public;

-- schema/media/_functions/reject_unseen_file.sql.j2

create function media.reject_unseen_file()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  -- Runs with the caller's privileges, so the policies of media.media determine the visible files.
  if wanted is not null
    and (tg_op = 'INSERT' or wanted is distinct from (to_jsonb(old) ->> tg_argv[0])::uuid)
    and not exists (select from media.media as m where m.id = wanted)
  then
    raise exception 'the file does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$$;

comment on function media.reject_unseen_file() is
  'Trigger ab_file: rejects a reference to a file that the caller cannot read; otherwise the service that '
  'delivers referenced files would disclose it. Foreign keys ignore policies. Its argument is the referencing '
  'column.';

revoke all on function media.reject_unseen_file() from public;

-- schema/ai/providers.sql.j2

create table ai.providers (
  id uuid not null default gen_random_uuid(),
  code text not null,
  name text not null,
  data_region text,
  has_dpa boolean not null default false,
  has_baa boolean not null default false,
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint providers_pkey primary key (id),
  constraint providers_code_key unique (code),
  constraint providers_code_check check (length(code) between 1 and 100),
  constraint providers_name_check check (length(name) between 1 and 200),
  constraint providers_data_region_check check (length(data_region) <= 100)
);

comment on table ai.providers is 'Data processors in the sense of the GDPR.';

comment on column ai.providers.has_dpa is 'A data processing agreement is signed: personal data may be sent.';

comment on column ai.providers.has_baa is 'A business associate agreement is signed: health data may be sent.';

create trigger aa_touch
  before update on ai.providers
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on ai.providers
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

alter table ai.providers enable row level security;

revoke all on ai.providers from public;

-- schema/ai/models.sql.j2

create table ai.models (
  id uuid not null default gen_random_uuid(),
  provider_id uuid not null,
  code text not null,
  name text not null,
  context_tokens integer not null,
  input_usd_per_mtok numeric(12, 6) not null,
  output_usd_per_mtok numeric(12, 6) not null,
  capabilities text[] not null default '{}',
  is_enabled boolean not null default true,
  released_on date,
  retired_on date,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint models_pkey primary key (id),
  constraint models_provider_id_code_key unique (provider_id, code),
  constraint models_provider_id_fkey foreign key (provider_id) references ai.providers (id) on delete restrict,
  constraint models_code_check check (length(code) between 1 and 100),
  constraint models_name_check check (length(name) between 1 and 200),
  constraint models_context_tokens_check check (context_tokens > 0),
  constraint models_input_usd_per_mtok_check check (input_usd_per_mtok >= 0),
  constraint models_output_usd_per_mtok_check check (output_usd_per_mtok >= 0),
  constraint models_capabilities_check check (pg_column_size(capabilities) <= 4096)
);

comment on table ai.models is 'Rows are kept when a model is retired, because conversations reference them.';

comment on column ai.models.input_usd_per_mtok is 'US dollars per million input tokens.';

comment on column ai.models.output_usd_per_mtok is 'US dollars per million output tokens.';

create trigger aa_touch
  before update on ai.models
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on ai.models
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

alter table ai.models enable row level security;

revoke all on ai.models from public;

-- schema/ai/_functions/append_message.sql.j2

create function ai.append_message(conversation_id uuid, content text)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  tenant_id uuid;
  number integer;
begin
  perform authz.assert_session('enrolled');

  select c.tenant_id
  into tenant_id
  from ai.conversations as c
  where c.id = append_message.conversation_id
    and c.user_id = auth.uid()
    and c.deleted_at is null
    and (c.tenant_id is null or c.tenant_id = any (array(select authz.tenant_ids())));

  if not found then
    raise exception 'the conversation does not exist'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant_id is not null then
    perform authz.assert_permission('ai.use', tenant_id);
  end if;

  -- The trigger ah_sequence assigns the number; 1 only satisfies the NOT NULL constraint before it fires.
  insert into ai.conversation_messages as m (conversation_id, user_id, sequence_number, role, content)
  values (append_message.conversation_id, auth.uid(), 1, 'user', append_message.content)
  returning m.sequence_number
  into number;

  return number;
end
$$;

comment on function ai.append_message(uuid, text) is
  'Appends a message of the caller to their own conversation and returns its number. In a tenant the caller must '
  'be an active member with the permission ai.use.';

revoke all on function ai.append_message(uuid, text) from public;

grant execute on function ai.append_message(uuid, text) to authenticated;

-- schema/ai/_functions/append_reply.sql.j2

create function ai.append_reply(
  conversation_id uuid,
  content text,
  role text default 'assistant',
  model_id uuid default null,
  tokens_in integer default null,
  tokens_out integer default null,
  cost_usd numeric default null,
  latency_ms integer default null,
  metadata jsonb default '{}'
)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  number integer;
begin
  -- The trigger ah_sequence assigns the number; 1 only satisfies the NOT NULL constraint before it fires.
  insert into ai.conversation_messages as m (
    conversation_id, user_id, sequence_number, role, content, model_id, tokens_in, tokens_out, cost_usd, latency_ms,
    metadata
  )
  select
    c.id, c.user_id, 1, append_reply.role, append_reply.content, coalesce(append_reply.model_id, c.model_id),
    append_reply.tokens_in, append_reply.tokens_out, append_reply.cost_usd, append_reply.latency_ms,
    append_reply.metadata
  from ai.conversations as c
  where c.id = append_reply.conversation_id
    and c.deleted_at is null
  returning m.sequence_number
  into number;

  if number is null then
    raise exception 'the conversation does not exist'
      using errcode = 'insufficient_privilege';
  end if;

  return number;
end
$$;

comment on function ai.append_reply(uuid, text, text, uuid, integer, integer, numeric, integer, jsonb) is
  'Appends a message of the model, of a tool or of the system to a conversation, with its tokens and its cost, '
  'and returns its number.';

revoke all on function ai.append_reply(uuid, text, text, uuid, integer, integer, numeric, integer, jsonb) from public;

grant execute on function ai.append_reply(uuid, text, text, uuid, integer, integer, numeric, integer, jsonb) to service_role;

-- schema/ai/_functions/end_conversation.sql.j2

create function ai.end_conversation()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
begin
  new.ended_at := case when new.status in ('completed', 'archived') then coalesce(old.ended_at, now()) end;

  return new;
end
$$;

comment on function ai.end_conversation() is
  'Trigger ad_status: sets the end of a conversation that is completed or archived, and clears it when it is '
  'continued.';

revoke all on function ai.end_conversation() from public;

-- schema/ai/_functions/number_message.sql.j2

create function ai.number_message()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- The row lock serializes the numbering. A unique index cannot replace it: it must contain the partition key, so the
  -- same number could occur once per month.
  update ai.conversations
  set
    message_count = message_count + 1,
    last_message_at = greatest(last_message_at, new.created_at),
    total_tokens = total_tokens + coalesce(new.tokens_in, 0) + coalesce(new.tokens_out, 0),
    total_cost_usd = total_cost_usd + coalesce(new.cost_usd, 0)
  where id = new.conversation_id
    and user_id = new.user_id
    and deleted_at is null
  returning message_count, tenant_id
  into new.sequence_number, new.tenant_id;

  if not found then
    raise exception 'the conversation does not exist'
      using errcode = 'insufficient_privilege';
  end if;

  return new;
end
$$;

comment on function ai.number_message() is
  'Trigger ah_sequence: sets the sequence number of a message and the tenant of its conversation, and adds its '
  'tokens and cost to the conversation.';

revoke all on function ai.number_message() from public;

-- schema/ai/_functions/reject_unseen_agent.sql.j2

create function ai.reject_unseen_agent()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
begin
  -- Runs with the caller's privileges, so the policies of content.ai_agents determine the visible agents.
  if new.agent_id is not null
    and (tg_op = 'INSERT' or new.agent_id is distinct from old.agent_id)
    and not exists (
      select
      from content.ai_agents as a
      where a.item_id = new.agent_id
        -- An agent of a tenant answers in conversations of the tenant, where membership and ai.use are tested.
        and (a.tenant_id is null or a.tenant_id = new.tenant_id or a.audience = 'everyone')
    )
  then
    raise exception 'the agent does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$$;

comment on function ai.reject_unseen_agent() is
  'Trigger ab_agent: rejects a conversation with an agent that the caller cannot read, or that is of another '
  'tenant and not public; otherwise the conversation would use the agent''s prompt. A trigger and not a policy, so '
  'that existing conversations remain when an agent is withdrawn.';

revoke all on function ai.reject_unseen_agent() from public;

-- schema/content/repositories.sql.j2

create table content.repositories (
  id uuid not null default gen_random_uuid(),
  code text not null,
  content_type content.content_type not null,
  name text not null,
  description text,
  settings jsonb not null default '{}',
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint repositories_pkey primary key (id),
  constraint repositories_code_key unique (code),
  constraint repositories_content_type_key unique (content_type),
  constraint repositories_id_content_type_key unique (id, content_type),
  constraint repositories_code_check check (code ~ '^[a-z_]{1,63}$'),
  constraint repositories_name_check check (length(name) between 1 and 100),
  constraint repositories_description_check check (length(description) <= 1000),
  constraint repositories_settings_check check (jsonb_typeof(settings) = 'object' and pg_column_size(settings) <= 16384)
);

comment on table content.repositories is
  'Five rows, one per content type: the type is unique and has five values.';

create trigger aa_touch
  before update on content.repositories
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on content.repositories
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

alter table content.repositories enable row level security;

revoke all on content.repositories from public;

-- schema/content/_functions/can_read.sql.j2

-- Called by the policies of content.items and of the typed tables, and by content.search_items(). It has no SET clause and
-- is not SECURITY DEFINER, so that PostgreSQL inlines it and the policies can use indexes. Every argument that a policy
-- computes in a sub-select occurs once in the body: PostgreSQL does not inline a call that would duplicate a sub-select.
create function content.can_read(
  audience text,
  tenant_id uuid,
  owner_id uuid,
  person uuid,
  memberships uuid[],
  trusted uuid[],
  is_platform boolean
)
returns boolean
language sql
stable
parallel safe
as $$
  select
    can_read.audience <> 'none'
    and (
      (
        can_read.audience = 'everyone'
        and (can_read.tenant_id is null or authz.tenant_is_open(can_read.tenant_id))
      )
      or (
        can_read.tenant_id = any (can_read.memberships)
        and (can_read.audience = 'members' or can_read.owner_id = can_read.person)
      )
      or can_read.tenant_id = any (can_read.trusted)
      or (can_read.tenant_id is null and can_read.is_platform)
    )
$$;

comment on function content.can_read(text, uuid, uuid, uuid, uuid[], uuid[], boolean) is
  'Whether a person can read an item or its typed part: items of the audience everyone; in the tenants of which '
  'the person is a member, those of the audience members and the own ones; in the tenants of `trusted`, all; for '
  '`is_platform`, all of the global catalogue. Deleted items have the audience none.';

revoke all on function content.can_read(text, uuid, uuid, uuid, uuid[], uuid[], boolean) from public;

grant execute on function content.can_read(text, uuid, uuid, uuid, uuid[], uuid[], boolean) to authenticated;

-- schema/content/_functions/copy_root.sql.j2

create function content.copy_root()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- The lock waits for a concurrent change of the item, whose trigger ba_root does not see this row yet.
  select i.tenant_id, i.owner_id, i.audience
  into new.tenant_id, new.owner_id, new.audience
  from content.items as i
  where i.id = new.item_id
  for share;

  if not found then
    new.audience := 'none';
  end if;

  return new;
end
$$;

comment on function content.copy_root() is
  'Trigger ab_root: sets tenant, owner and audience of the typed part to those of its item, overriding values '
  'of the statement. The policies of the typed part read these columns instead of the item.';

revoke all on function content.copy_root() from public;

-- schema/content/_functions/copy_root_to_part.sql.j2

create function content.copy_root_to_part()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- The trigger ab_root of the typed table sets the values; an item has one part at most.
  case new.content_type
    when 'ai_agent' then
      update content.ai_agents set audience = new.audience where item_id = new.id;
    when 'video' then
      update content.videos set audience = new.audience where item_id = new.id;
    when 'document' then
      update content.documents set audience = new.audience where item_id = new.id;
    when 'prompt' then
      update content.prompts set audience = new.audience where item_id = new.id;
    when 'automation' then
      update content.automations set audience = new.audience where item_id = new.id;
  end case;

  return null;
end
$$;

comment on function content.copy_root_to_part() is
  'Trigger ba_root: copies a change of tenant, owner or audience of an item to its typed part.';

revoke all on function content.copy_root_to_part() from public;

-- schema/content/_functions/publish_item.sql.j2

create function content.publish_item()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  was_published boolean := tg_op = 'UPDATE' and old.status = 'published';
  is_published boolean := new.status = 'published';
begin
  if (was_published <> is_published or was_published and new.visibility <> old.visibility)
    -- Null: service_role, a job or a seed.
    and auth.uid() is not null
    and (
      new.tenant_id = any (array(select authz.tenants_with('content.publish')))
      or new.tenant_id is null and authz.is_super_admin()
    ) is not true
  then
    raise exception 'publishing and withdrawing require the permission content.publish'
      using errcode = 'insufficient_privilege';
  end if;

  if is_published and not was_published then
    new.published_at := coalesce(new.published_at, now());
    new.published_by := coalesce(auth.uid(), new.published_by);
  elsif is_published then
    new.published_at := old.published_at;
    -- Only the erasure of the publisher sets null.
    new.published_by := case when new.published_by is null then null else old.published_by end;
  elsif new.status <> 'archived' then
    new.published_at := null;
    new.published_by := null;
  end if;

  new.archived_at := case
    when new.status <> 'archived' then null
    when tg_op = 'UPDATE' and old.status = 'archived' then old.archived_at
    else now()
  end;

  if tg_op = 'UPDATE' then
    new.version := old.version;

    if old.status in ('published', 'archived') and new.status not in ('published', 'archived') then
      new.version := old.version + 1;
    end if;
  end if;

  return new;
end
$$;

comment on function content.publish_item() is
  'Trigger ae_publish: requires content.publish to publish an item, to withdraw it, and to change the '
  'visibility of a published one; sets version and the columns that record when and by which person.';

revoke all on function content.publish_item() from public;

-- schema/content/_functions/reject_deleted_folder.sql.j2

create function content.reject_deleted_folder()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  if wanted is null or tg_op = 'UPDATE' and wanted = (to_jsonb(old) ->> tg_argv[0])::uuid then
    return new;
  end if;

  -- The lock waits for a concurrent deletion of the folder, which deletes the contents that it sees.
  perform from content.folders as f
  where f.id = wanted
    and f.deleted_at is null
  for share;

  if not found then
    raise exception 'the folder does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$$;

comment on function content.reject_deleted_folder() is
  'Trigger ab_folder: rejects a reference to a deleted folder. Its argument is the referencing column.';

revoke all on function content.reject_deleted_folder() from public;

-- schema/content/folders.sql.j2

create table content.folders (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  repository_id uuid not null,
  parent_id uuid,
  name text not null,
  ancestor_ids uuid[] not null default '{}',
  depth smallint not null default 0,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  constraint folders_pkey primary key (id),
  constraint folders_tenant_id_repository_id_id_key unique (tenant_id, repository_id, id),
  constraint folders_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint folders_repository_id_fkey
    foreign key (repository_id) references content.repositories (id) on delete restrict,
  constraint folders_tenant_id_repository_id_parent_id_fkey
    foreign key (tenant_id, repository_id, parent_id)
    references content.folders (tenant_id, repository_id, id) on delete cascade,
  constraint folders_name_check check (length(name) between 1 and 255),
  constraint folders_depth_check check (depth between 0 and 10),
  constraint folders_parent_id_check check (parent_id is distinct from id)
);

comment on table content.folders is 'A parent is a folder of the same tenant and repository: both are part of the '
  'foreign key.';

comment on column content.folders.ancestor_ids is
  'The ancestors from the root to the parent; maintained by the tree triggers.';

-- Folder names are unique within a folder, except for deleted ones.
create unique index folders_tenant_id_repository_id_parent_id_name_key
  on content.folders (tenant_id, repository_id, parent_id, name) nulls not distinct
  where deleted_at is null;

-- core.soft_delete() and core.restore(): the folders below a folder.
create index folders_ancestor_ids_idx on content.folders using gin (ancestor_ids);

-- Children of a folder; foreign key of the parent.
create index folders_parent_id_idx
  on content.folders (parent_id)
  where parent_id is not null;

create trigger aa_touch
  before update on content.folders
  for each row execute function core.touch();

create trigger ab_folder
  before insert or update of parent_id on content.folders
  for each row execute function content.reject_deleted_folder('parent_id');

create trigger ac_tree
  before insert or update of parent_id, ancestor_ids, depth on content.folders
  for each row execute function core.place_in_tree('parent_id');

create trigger ac_tree_moved
  after update of parent_id on content.folders
  for each row when (old.ancestor_ids is distinct from new.ancestor_ids)
  execute function core.move_subtree('parent_id');

alter table content.folders enable row level security;

revoke all on content.folders from public;

-- schema/content/items.sql.j2

create table content.items (
  id uuid not null default core.uuid_v7(),
  repository_id uuid not null,
  content_type content.content_type not null,
  tenant_id uuid,
  folder_id uuid,
  owner_id uuid default auth.uid(),
  title text not null,
  description text,
  thumbnail_media_id uuid,
  language_code text not null default 'en',
  status content.content_status not null default 'draft',
  visibility core.visibility_level not null default 'tenant',
  version integer not null default 1,
  metadata jsonb not null default '{}',
  published_at timestamptz,
  published_by uuid,
  archived_at timestamptz,
  audience content.audience not null generated always as (
    case
      when deleted_at is not null then 'none'
      when status <> 'published' then 'editors'
      when tenant_id is null or visibility = 'public' then 'everyone'
      when visibility = 'tenant' then 'members'
      else 'editors'
    end
  ) stored,
  search tsvector not null generated always as (
    setweight(to_tsvector('simple', coalesce(title, '')), 'A')
    || setweight(to_tsvector('simple', coalesce(description, '')), 'B')
  ) stored,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  row_version integer not null default 1,
  constraint items_pkey primary key (id),
  constraint items_id_content_type_key unique (id, content_type),
  constraint items_repository_id_content_type_fkey
    foreign key (repository_id, content_type) references content.repositories (id, content_type) on delete restrict,
  constraint items_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint items_tenant_id_repository_id_folder_id_fkey
    foreign key (tenant_id, repository_id, folder_id)
    references content.folders (tenant_id, repository_id, id) on delete set null (folder_id),
  constraint items_owner_id_fkey foreign key (owner_id) references iam.profiles (id) on delete set null,
  constraint items_thumbnail_media_id_fkey foreign key (thumbnail_media_id) references media.media (id) on delete set null,
  constraint items_language_code_fkey foreign key (language_code) references platform.languages (code) on delete restrict,
  constraint items_published_by_fkey foreign key (published_by) references iam.profiles (id) on delete set null,
  constraint items_title_check check (length(title) between 1 and 500),
  constraint items_description_check check (length(description) <= 5000),
  constraint items_version_check check (version > 0),
  constraint items_metadata_check check (jsonb_typeof(metadata) = 'object' and pg_column_size(metadata) <= 32768),
  constraint items_owner_id_check check (owner_id is null or tenant_id is not null),
  constraint items_folder_id_check check (folder_id is null or tenant_id is not null),
  constraint items_published_at_check check ((status = 'published') = (published_at is not null) or status = 'archived'),
  constraint items_archived_at_check check ((status = 'archived') = (archived_at is not null))
);

-- The trigger that registers a row in core.resources follows with that table.
comment on table content.items is
  'The supertype: the type-specific part is a row with the same id in one of the five typed tables.';

comment on column content.items.tenant_id is 'Null: an item of the global catalogue of the platform.';

comment on column content.items.owner_id is 'Null: the owner was erased, or the item belongs to the platform.';

comment on column content.items.version is
  'Number of the edition: incremented when a published or archived item is edited again.';

comment on column content.items.audience is
  'Who can read the item, from its status, visibility and deletion. The typed tables contain a copy.';

comment on column content.items.folder_id is 'A folder of the same tenant and repository: both are part of the '
  'foreign key.';

-- Repository listing of a tenant.
create index items_tenant_id_repository_id_status_published_at_idx
  on content.items (tenant_id, repository_id, status, published_at desc);

-- Own items of a person in a tenant; a person's items when the person is erased.
create index items_owner_id_idx
  on content.items (owner_id)
  where owner_id is not null;

-- Newest published items, of all tenants of a person and of the global catalogue.
create index items_published_at_idx
  on content.items (published_at desc)
  where status = 'published';

-- Newest items of every status.
create index items_created_at_idx on content.items (created_at desc);

-- Newest published items of a tenant.
create index items_tenant_id_published_at_idx
  on content.items (tenant_id, published_at desc)
  where status = 'published';

-- Policy and content.search_items(): items that everyone can read.
create index items_id_idx
  on content.items (id)
  where audience = 'everyone';

-- content.search_items(): words.
create index items_search_idx on content.items using gin (search);

-- content.search_items(): metadata.
create index items_metadata_idx on content.items using gin (metadata jsonb_path_ops);

-- Foreign key: the referenced row is deleted or updated.
create index items_folder_id_idx
  on content.items (folder_id)
  where folder_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index items_thumbnail_media_id_idx
  on content.items (thumbnail_media_id)
  where thumbnail_media_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index items_published_by_idx
  on content.items (published_by)
  where published_by is not null;

create trigger aa_touch
  before update on content.items
  for each row execute function core.touch('row_version');

create trigger ab_file
  before insert or update of thumbnail_media_id on content.items
  for each row execute function media.reject_unseen_file('thumbnail_media_id');

create trigger ab_folder
  before insert or update of folder_id on content.items
  for each row execute function content.reject_deleted_folder('folder_id');

create trigger ae_publish
  before insert or update of status, visibility, version, published_at, published_by, archived_at on content.items
  for each row execute function content.publish_item();

create trigger ba_root
  after update of tenant_id, owner_id, status, visibility, deleted_at on content.items
  for each row
  when (
    (old.tenant_id, old.owner_id, old.audience) is distinct from (new.tenant_id, new.owner_id, new.audience)
  )
  execute function content.copy_root_to_part();

create trigger zz_audit
  after insert or update or delete on content.items
  for each row execute function audit.record_row(
    'diff',
    'id',
    'owner_id,published_by',
    'owner_id',
    'tenant_id'
  );

alter table content.items enable row level security;

revoke all on content.items from public;

-- schema/content/ai_agents.sql.j2

create table content.ai_agents (
  item_id uuid not null,
  content_type content.content_type not null default 'ai_agent',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
  system_prompt text not null,
  personality text,
  capabilities text[] not null default '{}',
  knowledge_base jsonb not null default '{}',
  model_id uuid,
  temperature numeric(3, 2) not null default 0.7,
  max_output_tokens integer not null default 2048,
  safety_settings jsonb not null default '{}',
  avatar_media_id uuid,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint ai_agents_pkey primary key (item_id),
  constraint ai_agents_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint ai_agents_model_id_fkey foreign key (model_id) references ai.models (id) on delete restrict,
  constraint ai_agents_avatar_media_id_fkey foreign key (avatar_media_id) references media.media (id) on delete set null,
  constraint ai_agents_content_type_check check (content_type = 'ai_agent'),
  constraint ai_agents_system_prompt_check check (length(system_prompt) between 1 and 32000),
  constraint ai_agents_personality_check check (length(personality) <= 4000),
  constraint ai_agents_capabilities_check check (cardinality(capabilities) <= 50 and pg_column_size(capabilities) <= 8192),
  constraint ai_agents_knowledge_base_check check (
    jsonb_typeof(knowledge_base) = 'object' and pg_column_size(knowledge_base) <= 262144
  ),
  constraint ai_agents_safety_settings_check check (
    jsonb_typeof(safety_settings) = 'object' and pg_column_size(safety_settings) <= 16384
  ),
  constraint ai_agents_temperature_check check (temperature between 0 and 2),
  constraint ai_agents_max_output_tokens_check check (max_output_tokens between 1 and 200000)
);

comment on table content.ai_agents is
  'The type-specific part of an item of type agent. The type is part of the foreign key, so other items '
  'cannot have this row.';

comment on column content.ai_agents.system_prompt is
  'Readable by all who can read the item; must not contain secrets.';

-- Foreign key: the referenced row is deleted or updated.
create index ai_agents_model_id_idx
  on content.ai_agents (model_id)
  where model_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index ai_agents_avatar_media_id_idx
  on content.ai_agents (avatar_media_id)
  where avatar_media_id is not null;

-- AI agents of a tenant.
create index ai_agents_tenant_id_idx on content.ai_agents (tenant_id);

create trigger aa_touch
  before update on content.ai_agents
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.ai_agents
  for each row execute function content.copy_root();

create trigger ab_file
  before insert or update of avatar_media_id on content.ai_agents
  for each row execute function media.reject_unseen_file('avatar_media_id');

create trigger zz_audit
  after insert or update or delete on content.ai_agents
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    'owner_id',
    'owner_id',
    'tenant_id',
    'tenant_id,owner_id,audience'
  );

alter table content.ai_agents enable row level security;

revoke all on content.ai_agents from public;

-- schema/ai/conversations.sql.j2

create table ai.conversations (
  id uuid not null default core.uuid_v7(),
  user_id uuid not null default auth.uid(),
  tenant_id uuid,
  agent_id uuid,
  model_id uuid,
  mode ai.conversation_mode not null default 'sandbox',
  title text,
  summary text,
  status ai.conversation_status not null default 'active',
  context jsonb not null default '{}',
  message_count integer not null default 0,
  total_tokens bigint not null default 0,
  total_cost_usd numeric(14, 6) not null default 0,
  experiment_variant_id uuid,
  started_at timestamptz not null default now(),
  last_message_at timestamptz not null default now(),
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  row_version integer not null default 1,
  constraint conversations_pkey primary key (id),
  constraint conversations_id_user_id_key unique (id, user_id),
  constraint conversations_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade,
  constraint conversations_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint conversations_agent_id_fkey foreign key (agent_id) references content.ai_agents (item_id) on delete set null,
  constraint conversations_model_id_fkey foreign key (model_id) references ai.models (id) on delete set null,
  constraint conversations_title_check check (length(title) <= 300),
  constraint conversations_summary_check check (length(summary) <= 10000),
  constraint conversations_context_check
    check (jsonb_typeof(context) = 'object' and pg_column_size(context) <= 65536),
  constraint conversations_message_count_check check (message_count >= 0),
  constraint conversations_total_tokens_check check (total_tokens >= 0),
  constraint conversations_total_cost_usd_check check (total_cost_usd >= 0)
) with (fillfactor = 85);

comment on table ai.conversations is
  'Belongs to the person, also inside a tenant: admins of the tenant cannot read its messages.';

comment on column ai.conversations.message_count is
  'The last sequence number assigned; maintained by the trigger on ai.conversation_messages.';

comment on column ai.conversations.last_message_at is
  'Without an index: each message changes it, and an update of columns without an index writes no index entry. '
  'A person has few conversations, which are sorted when they are listed.';

-- The foreign key to ai.experiment_variants follows with that table.
comment on column ai.conversations.experiment_variant_id is 'The experiment variant assigned to the person.';

-- A person's conversations: the sidebar, and all of them when the person is erased.
-- Foreign key: the referenced row is deleted or updated.
create index conversations_user_id_idx
  on ai.conversations (user_id);

-- Usage report of a tenant.
create index conversations_tenant_id_started_at_idx
  on ai.conversations (tenant_id, started_at desc)
  where tenant_id is not null;

-- Retention job: the last message is no older than the start.
create index conversations_started_at_idx
  on ai.conversations (started_at)
  where deleted_at is null;

-- Foreign key: the referenced row is deleted or updated.
create index conversations_agent_id_idx
  on ai.conversations (agent_id)
  where agent_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index conversations_model_id_idx
  on ai.conversations (model_id)
  where model_id is not null;

-- Not for counters: row_version detects edits of the person, not the next message.
create trigger aa_touch
  before update of agent_id, model_id, mode, title, summary, status, context, ended_at, deleted_at on ai.conversations
  for each row execute function core.touch('row_version');

create trigger ad_status
  before update of status on ai.conversations
  for each row execute function ai.end_conversation();

create trigger ab_agent
  before insert or update of agent_id on ai.conversations
  for each row execute function ai.reject_unseen_agent();

create trigger zz_audit
  after insert or update or delete on ai.conversations
  for each row execute function audit.record_row(
    'meta',
    'id',
    'title,summary,context',
    'user_id',
    'tenant_id',
    'message_count,total_tokens,total_cost_usd,last_message_at'
  );

alter table ai.conversations enable row level security;

revoke all on ai.conversations from public;

-- schema/ai/conversation_messages.sql.j2

create table ai.conversation_messages (
  id uuid not null default core.uuid_v7(),
  conversation_id uuid not null,
  user_id uuid not null,
  tenant_id uuid,
  sequence_number integer not null,
  parent_message_id uuid,
  role ai.message_role not null,
  content text not null,
  content_format text not null default 'markdown',
  model_id uuid,
  tokens_in integer,
  tokens_out integer,
  latency_ms integer,
  cost_usd numeric(14, 6),
  metadata jsonb not null default '{}',
  redacted_at timestamptz,
  created_at timestamptz not null default now(),
  constraint conversation_messages_pkey primary key (id, created_at),
  constraint conversation_messages_conversation_id_sequence_number_key
    unique (conversation_id, sequence_number, created_at),
  constraint conversation_messages_conversation_id_user_id_fkey
    foreign key (conversation_id, user_id) references ai.conversations (id, user_id) on delete cascade,
  constraint conversation_messages_sequence_number_check check (sequence_number > 0),
  constraint conversation_messages_content_check check (length(btrim(content)) > 0 and length(content) <= 400000),
  constraint conversation_messages_content_format_check check (content_format in ('markdown', 'text')),
  constraint conversation_messages_metadata_check
    check (jsonb_typeof(metadata) = 'object' and pg_column_size(metadata) <= 32768),
  constraint conversation_messages_tokens_in_check check (tokens_in >= 0),
  constraint conversation_messages_tokens_out_check check (tokens_out >= 0),
  constraint conversation_messages_latency_ms_check check (latency_ms >= 0),
  constraint conversation_messages_cost_usd_check check (cost_usd >= 0)
) partition by range (created_at);

comment on table ai.conversation_messages is
  'Contains owner and tenant of the conversation, so that the policy needs no join. Written by functions: '
  'ai.append_message() for people, ai.append_reply() for the service. Rows are not updated.';

comment on column ai.conversation_messages.user_id is
  'The owner of the conversation, also for messages of the model; part of the foreign key.';

comment on column ai.conversation_messages.sequence_number is
  'Assigned under the row lock of the conversation, without gaps.';

comment on column ai.conversation_messages.tenant_id is
  'The tenant of the conversation, set by the trigger ah_sequence. No role can change the tenant of a '
  'conversation.';

-- Policy, and the export of one person.
create index conversation_messages_user_id_created_at_idx
  on ai.conversation_messages (user_id, created_at desc);

-- Time ranges within a month.
create index conversation_messages_created_at_idx on ai.conversation_messages using brin (created_at);

-- Row triggers of a partitioned table are created on every partition.
create trigger ah_sequence
  before insert on ai.conversation_messages
  for each row execute function ai.number_message();

alter table ai.conversation_messages enable row level security;

revoke all on ai.conversation_messages from public;

select ops.ensure_partitions('ai.conversation_messages', every => 'month', keep => 24);

-- schema/content/automations.sql.j2

create table content.automations (
  item_id uuid not null,
  content_type content.content_type not null default 'automation',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
  trigger_type text not null,
  schedule_cron text,
  event_type text,
  definition jsonb not null default '{}',
  is_enabled boolean not null default false,
  last_run_at timestamptz,
  next_run_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint automations_pkey primary key (item_id),
  constraint automations_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint automations_content_type_check check (content_type = 'automation'),
  constraint automations_trigger_type_check check (trigger_type in ('manual', 'schedule', 'event', 'webhook')),
  constraint automations_schedule_cron_check check (
    (trigger_type = 'schedule') = (schedule_cron is not null) and length(schedule_cron) <= 100
  ),
  constraint automations_event_type_check check (
    (trigger_type = 'event' or event_type is null) and length(event_type) <= 100
  ),
  constraint automations_definition_check check (
    jsonb_typeof(definition) = 'object' and pg_column_size(definition) <= 262144
  )
);

comment on table content.automations is
  'The type-specific part of an item of type automation. Runs are executed by service_role.';

-- Automations that are due.
create index automations_next_run_at_idx
  on content.automations (next_run_at)
  where is_enabled;

-- Automations of a tenant.
create index automations_tenant_id_idx on content.automations (tenant_id);

create trigger aa_touch
  before update on content.automations
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.automations
  for each row execute function content.copy_root();

create trigger zz_audit
  after insert or update or delete on content.automations
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    'owner_id',
    'owner_id',
    'tenant_id',
    'tenant_id,owner_id,audience'
  );

alter table content.automations enable row level security;

revoke all on content.automations from public;

-- schema/content/prompts.sql.j2

create table content.prompts (
  item_id uuid not null,
  content_type content.content_type not null default 'prompt',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
  template text not null,
  variables jsonb not null default '[]',
  target_model_id uuid,
  usage_count bigint not null default 0,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint prompts_pkey primary key (item_id),
  constraint prompts_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint prompts_target_model_id_fkey foreign key (target_model_id) references ai.models (id) on delete set null,
  constraint prompts_content_type_check check (content_type = 'prompt'),
  constraint prompts_template_check check (length(template) <= 32000),
  constraint prompts_variables_check check (
    jsonb_typeof(variables) = 'array' and pg_column_size(variables) <= 16384
  )
);

comment on table content.prompts is 'The type-specific part of an item of type prompt.';

comment on column content.prompts.variables is 'The placeholders of the template, in order.';

-- Foreign key: the referenced row is deleted or updated.
create index prompts_target_model_id_idx
  on content.prompts (target_model_id)
  where target_model_id is not null;

-- Prompts of a tenant.
create index prompts_tenant_id_idx on content.prompts (tenant_id);

create trigger aa_touch
  before update on content.prompts
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.prompts
  for each row execute function content.copy_root();

create trigger zz_audit
  after insert or update or delete on content.prompts
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    'owner_id',
    'owner_id',
    'tenant_id',
    'tenant_id,owner_id,audience'
  );

alter table content.prompts enable row level security;

revoke all on content.prompts from public;

-- schema/content/_functions/require_source.sql.j2

create function content.require_source()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  part jsonb := to_jsonb(new);
begin
  -- In a nested trigger, the deletion of a file has set its reference to null.
  if pg_trigger_depth() = 1 and coalesce(part ->> tg_argv[0], part ->> tg_argv[1]) is null then
    raise exception '% or % is required', tg_argv[0], tg_argv[1]
      using errcode = 'check_violation';
  end if;

  return new;
end
$$;

comment on function content.require_source() is
  'Trigger ab_source: one of the two columns named by its arguments must have a value, unless the file was '
  'deleted. A CHECK constraint would prevent the deletion of a tenant, whose files are deleted with it.';

revoke all on function content.require_source() from public;

-- schema/content/documents.sql.j2

create table content.documents (
  item_id uuid not null,
  content_type content.content_type not null default 'document',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
  body_format text not null default 'markdown',
  body text,
  media_id uuid,
  page_count integer,
  word_count integer,
  body_search tsvector not null generated always as (
    to_tsvector('simple', coalesce(left(body, 250000), ''))
  ) stored,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint documents_pkey primary key (item_id),
  constraint documents_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint documents_media_id_fkey foreign key (media_id) references media.media (id) on delete set null,
  constraint documents_content_type_check check (content_type = 'document'),
  constraint documents_body_format_check check (body_format in ('markdown', 'html', 'json', 'file')),
  constraint documents_body_check check (length(body) <= 1000000),
  constraint documents_page_count_check check (page_count > 0),
  constraint documents_word_count_check check (word_count >= 0)
);

comment on table content.documents is
  'The type-specific part of an item of type document: a text, a file, or both.';

comment on column content.documents.media_id is 'Null: the document has no file, or the file was deleted.';

comment on column content.documents.body_search is 'From the first 250,000 characters: a tsvector holds one megabyte.';

-- content.search_items(): search inside documents.
create index documents_body_search_idx on content.documents using gin (body_search);

-- Foreign key: the referenced row is deleted or updated.
create index documents_media_id_idx
  on content.documents (media_id)
  where media_id is not null;

-- Documents of a tenant.
create index documents_tenant_id_idx on content.documents (tenant_id);

create trigger aa_touch
  before update on content.documents
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.documents
  for each row execute function content.copy_root();

create trigger ab_source
  before insert or update of body, media_id on content.documents
  for each row execute function content.require_source('body', 'media_id');

create trigger ab_file
  before insert or update of media_id on content.documents
  for each row execute function media.reject_unseen_file('media_id');

alter table content.documents enable row level security;

revoke all on content.documents from public;

-- schema/content/videos.sql.j2

create table content.videos (
  item_id uuid not null,
  content_type content.content_type not null default 'video',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
  media_id uuid,
  external_url core.http_url,
  duration_seconds integer,
  transcript text,
  transcript_status text not null default 'none',
  transcript_search tsvector not null generated always as (
    to_tsvector('simple', coalesce(left(transcript, 250000), ''))
  ) stored,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint videos_pkey primary key (item_id),
  constraint videos_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint videos_media_id_fkey foreign key (media_id) references media.media (id) on delete set null,
  constraint videos_content_type_check check (content_type = 'video'),
  constraint videos_external_url_check check (external_url ~ '^https://'),
  constraint videos_duration_seconds_check check (duration_seconds > 0),
  constraint videos_transcript_status_check check (
    transcript_status in ('none', 'queued', 'processing', 'ready', 'failed')
  ),
  constraint videos_transcript_check check (length(transcript) <= 1000000)
);

comment on table content.videos is
  'The type-specific part of an item of type video: a file in object storage, an external address, or both.';

comment on column content.videos.media_id is 'Null: the video has no file, or the file was deleted.';

comment on column content.videos.transcript_search is 'From the first 250,000 characters: a tsvector holds one '
  'megabyte.';

-- content.search_items(): search inside transcripts.
create index videos_transcript_search_idx on content.videos using gin (transcript_search);

-- Foreign key: the referenced row is deleted or updated.
create index videos_media_id_idx
  on content.videos (media_id)
  where media_id is not null;

-- Videos of a tenant.
create index videos_tenant_id_idx on content.videos (tenant_id);

create trigger aa_touch
  before update on content.videos
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.videos
  for each row execute function content.copy_root();

create trigger ab_source
  before insert or update of media_id, external_url on content.videos
  for each row execute function content.require_source('media_id', 'external_url');

create trigger ab_file
  before insert or update of media_id on content.videos
  for each row execute function media.reject_unseen_file('media_id');

alter table content.videos enable row level security;

revoke all on content.videos from public;

-- schema/content/_functions/search_items.sql.j2

-- Row-level security executes @@ and @> only after the policies, because they are not leakproof, and then without an index.
-- This function reads as its owner and applies the rule of the policies itself. Each execution is planned with the values of
-- the arguments: a plan for all values would not use the indexes.
create function content.search_items(
  query text default null,
  with_metadata jsonb default null,
  in_bodies boolean default false,
  in_tenant uuid default null,
  of_type content.content_type default null,
  with_status content.content_status default null,
  in_language text default null,
  page_size integer default 20,
  after_rank double precision default null,
  after_id uuid default null
)
returns table (
  id uuid,
  content_type content.content_type,
  tenant_id uuid,
  title text,
  description text,
  status content.content_status,
  published_at timestamptz,
  rank double precision
)
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
  person uuid := auth.uid();
  memberships uuid[];
  trusted uuid[];
  is_platform boolean;
  sought tsquery;
begin
  if page_size is null or page_size not between 1 and 100 then
    raise exception 'a page has 1 to 100 items'
      using errcode = 'invalid_parameter_value';
  end if;

  if query is not null then
    sought := websearch_to_tsquery('simple', left(query, 1000));
  end if;

  if querytree(sought) in ('', 'T') then
    raise exception 'the query contains no word to search for'
      using errcode = 'invalid_parameter_value';
  end if;

  if sought is null and (with_metadata is null or with_metadata = '{}') then
    raise exception 'a query or metadata is required'
      using errcode = 'invalid_parameter_value',
            hint = 'Select from content.items to list items.';
  end if;

  if authz.session_ok('enrolled') is not true then
    return;
  end if;

  memberships := array(select authz.tenant_ids());
  trusted := array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids());
  is_platform := authz.is_super_admin();

  return query
  with
  matches as (
    select i.id, coalesce(ts_rank(i.search, sought), 0) as score
    from content.items as i
    where (sought is null or i.search @@ sought)
      and (with_metadata is null or i.metadata @> with_metadata)
      and (in_tenant is null or i.tenant_id = in_tenant)
      and (of_type is null or i.content_type = of_type)
      and (with_status is null or i.status = with_status)
      and (in_language is null or i.language_code = in_language)
      and content.can_read(
        i.audience, i.tenant_id, i.owner_id, person, memberships, trusted, is_platform
      )
    union all
    select i.id, ts_rank(d.body_search, sought)
    from content.documents as d
    join content.items as i on i.id = d.item_id
    where in_bodies
      and d.body_search @@ sought
      and (with_metadata is null or i.metadata @> with_metadata)
      and (in_tenant is null or d.tenant_id = in_tenant)
      and (of_type is null or i.content_type = of_type)
      and (with_status is null or i.status = with_status)
      and (in_language is null or i.language_code = in_language)
      and content.can_read(
        d.audience, d.tenant_id, d.owner_id, person, memberships, trusted, is_platform
      )
    union all
    select i.id, ts_rank(v.transcript_search, sought)
    from content.videos as v
    join content.items as i on i.id = v.item_id
    where in_bodies
      and v.transcript_search @@ sought
      and (with_metadata is null or i.metadata @> with_metadata)
      and (in_tenant is null or v.tenant_id = in_tenant)
      and (of_type is null or i.content_type = of_type)
      and (with_status is null or i.status = with_status)
      and (in_language is null or i.language_code = in_language)
      and content.can_read(
        v.audience, v.tenant_id, v.owner_id, person, memberships, trusted, is_platform
      )
  ),
  ranked as (
    select m.id, sum(m.score)::double precision as rank
    from matches as m
    group by m.id
  ),
  page as (
    select r.id, r.rank
    from ranked as r
    where after_id is null
      or (r.rank, r.id) < (coalesce(after_rank, 0), after_id)
    order by r.rank desc, r.id desc
    limit page_size
  )
  select i.id, i.content_type, i.tenant_id, i.title, i.description, i.status, i.published_at, p.rank
  from page as p
  join content.items as i on i.id = p.id
  order by p.rank desc, p.id desc;
end
$$;

comment on function content.search_items(
  text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid
) is
  'The items that match a query in title and description (and in bodies of documents and transcripts of videos, '
  'if in_bodies) or contain the metadata, or both; only those that the caller can select from content.items. '
  'Highest rank first. For the next page pass rank and id of the last item.';

revoke all on function content.search_items(text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid) from public;

grant execute on function content.search_items(text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid) to authenticated;

-- schema/api_v1/_functions/accept_invitation.sql.j2

create function api_v1.accept_invitation(
  token text
)
returns uuid
language sql
set search_path = ''
as $$
  select iam.accept_invitation(token)
$$;

comment on function api_v1.accept_invitation is 'See iam.accept_invitation().';

revoke all on function api_v1.accept_invitation from public;

grant execute on function api_v1.accept_invitation to authenticated;

-- schema/api_v1/_functions/access_review.sql.j2

create function api_v1.access_review(
  tenant uuid
)
returns table (user_role uuid, user_id uuid, role_code text, unit_id uuid, membership_status iam.membership_status, granted_by uuid, granted_at timestamptz, expires_at timestamptz)
language sql
stable
set search_path = ''
as $$
  select * from iam.access_review(tenant)
$$;

comment on function api_v1.access_review is 'See iam.access_review().';

revoke all on function api_v1.access_review from public;

grant execute on function api_v1.access_review to authenticated;

-- schema/api_v1/_functions/append_message.sql.j2

create function api_v1.append_message(
  conversation_id uuid,
  content text
)
returns integer
language sql
set search_path = ''
as $$
  select ai.append_message(conversation_id, content)
$$;

comment on function api_v1.append_message is 'See ai.append_message().';

revoke all on function api_v1.append_message from public;

grant execute on function api_v1.append_message to authenticated;

-- schema/api_v1/_functions/create_tenant.sql.j2

create function api_v1.create_tenant(
  kind iam.tenant_kind,
  slug text,
  name text,
  parent_id uuid default null,
  institution_type text default null
)
returns uuid
language sql
set search_path = ''
as $$
  select iam.create_tenant(kind, slug, name, parent_id, institution_type)
$$;

comment on function api_v1.create_tenant is 'See iam.create_tenant().';

revoke all on function api_v1.create_tenant from public;

grant execute on function api_v1.create_tenant to authenticated;

-- schema/api_v1/_functions/elevate.sql.j2

create function api_v1.elevate(
  scope text,
  reason text,
  target_user uuid default null,
  tenant uuid default null,
  ticket text default null,
  lasting interval default '1 hour'
)
returns uuid
language sql
set search_path = ''
as $$
  select audit.elevate(scope, reason, target_user, tenant, ticket, lasting)
$$;

comment on function api_v1.elevate is 'See audit.elevate().';

revoke all on function api_v1.elevate from public;

grant execute on function api_v1.elevate to authenticated;

-- schema/api_v1/_functions/end_elevation.sql.j2

create function api_v1.end_elevation(
  context uuid
)
returns boolean
language sql
set search_path = ''
as $$
  select audit.end_elevation(context)
$$;

comment on function api_v1.end_elevation is 'See audit.end_elevation().';

revoke all on function api_v1.end_elevation from public;

grant execute on function api_v1.end_elevation to authenticated;

-- schema/api_v1/_functions/events.sql.j2

create function api_v1.events(
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
language sql
stable
set search_path = ''
as $$
  select * from audit.events(tenant, person, actor, changed_table, row_key, since, until, before_id, page_size)
$$;

comment on function api_v1.events is 'See audit.events().';

revoke all on function api_v1.events from public;

grant execute on function api_v1.events to authenticated;

-- schema/api_v1/_functions/grant_permission.sql.j2

create function api_v1.grant_permission(
  permission_code text,
  effect iam.grant_effect,
  tenant uuid default null,
  person uuid default null,
  role_code text default null,
  expires timestamptz default null,
  reason text default null
)
returns uuid
language sql
set search_path = ''
as $$
  select iam.grant_permission(permission_code, effect, tenant, person, role_code, expires, reason)
$$;

comment on function api_v1.grant_permission is 'See iam.grant_permission().';

revoke all on function api_v1.grant_permission from public;

grant execute on function api_v1.grant_permission to authenticated;

-- schema/api_v1/_functions/grant_role.sql.j2

create function api_v1.grant_role(
  person uuid,
  role_code text,
  tenant uuid default null,
  unit uuid default null,
  expires timestamptz default null,
  reason text default null
)
returns uuid
language sql
set search_path = ''
as $$
  select iam.grant_role(person, role_code, tenant, unit, expires, reason)
$$;

comment on function api_v1.grant_role is 'See iam.grant_role().';

revoke all on function api_v1.grant_role from public;

grant execute on function api_v1.grant_role to authenticated;

-- schema/api_v1/_functions/hand_over_ownership.sql.j2

create function api_v1.hand_over_ownership(
  tenant uuid,
  person uuid
)
returns void
language sql
set search_path = ''
as $$
  select iam.hand_over_ownership(tenant, person)
$$;

comment on function api_v1.hand_over_ownership is 'See iam.hand_over_ownership().';

revoke all on function api_v1.hand_over_ownership from public;

grant execute on function api_v1.hand_over_ownership to authenticated;

-- schema/api_v1/_functions/invite.sql.j2

create function api_v1.invite(
  tenant uuid,
  email text,
  role_code text default 'member',
  unit uuid default null
)
returns table (invitation_id uuid, token text)
language sql
set search_path = ''
as $$
  select * from iam.invite(tenant, email, role_code, unit)
$$;

comment on function api_v1.invite is 'See iam.invite().';

revoke all on function api_v1.invite from public;

grant execute on function api_v1.invite to authenticated;

-- schema/api_v1/_functions/join_by_domain.sql.j2

create function api_v1.join_by_domain(
  tenant uuid
)
returns uuid
language sql
set search_path = ''
as $$
  select iam.join_by_domain(tenant)
$$;

comment on function api_v1.join_by_domain is 'See iam.join_by_domain().';

revoke all on function api_v1.join_by_domain from public;

grant execute on function api_v1.join_by_domain to authenticated;

-- schema/api_v1/_functions/request_membership.sql.j2

create function api_v1.request_membership(
  tenant uuid
)
returns iam.membership_status
language sql
set search_path = ''
as $$
  select iam.request_membership(tenant)
$$;

comment on function api_v1.request_membership is 'See iam.request_membership().';

revoke all on function api_v1.request_membership from public;

grant execute on function api_v1.request_membership to authenticated;

-- schema/api_v1/_functions/restore.sql.j2

create function api_v1.restore(
  p_table regclass,
  p_id uuid
)
returns boolean
language sql
set search_path = ''
as $$
  select core.restore(p_table, p_id)
$$;

comment on function api_v1.restore is 'See core.restore().';

revoke all on function api_v1.restore from public;

grant execute on function api_v1.restore to authenticated;

-- schema/api_v1/_functions/revoke_invitation.sql.j2

create function api_v1.revoke_invitation(
  invitation uuid
)
returns boolean
language sql
set search_path = ''
as $$
  select iam.revoke_invitation(invitation)
$$;

comment on function api_v1.revoke_invitation is 'See iam.revoke_invitation().';

revoke all on function api_v1.revoke_invitation from public;

grant execute on function api_v1.revoke_invitation to authenticated;

-- schema/api_v1/_functions/revoke_permission.sql.j2

create function api_v1.revoke_permission(
  permission_grant uuid
)
returns boolean
language sql
set search_path = ''
as $$
  select iam.revoke_permission(permission_grant)
$$;

comment on function api_v1.revoke_permission is 'See iam.revoke_permission().';

revoke all on function api_v1.revoke_permission from public;

grant execute on function api_v1.revoke_permission to authenticated;

-- schema/api_v1/_functions/revoke_role.sql.j2

create function api_v1.revoke_role(
  user_role uuid,
  reason text default null
)
returns boolean
language sql
set search_path = ''
as $$
  select iam.revoke_role(user_role, reason)
$$;

comment on function api_v1.revoke_role is 'See iam.revoke_role().';

revoke all on function api_v1.revoke_role from public;

grant execute on function api_v1.revoke_role to authenticated;

-- schema/api_v1/_functions/search_items.sql.j2

create function api_v1.search_items(
  query text default null,
  with_metadata jsonb default null,
  in_bodies boolean default false,
  in_tenant uuid default null,
  of_type content.content_type default null,
  with_status content.content_status default null,
  in_language text default null,
  page_size integer default 20,
  after_rank double precision default null,
  after_id uuid default null
)
returns table (id uuid, content_type content.content_type, tenant_id uuid, title text, description text, status content.content_status, published_at timestamptz, rank double precision)
language sql
stable
set search_path = ''
as $$
  select * from content.search_items(query, with_metadata, in_bodies, in_tenant, of_type, with_status, in_language, page_size, after_rank, after_id)
$$;

comment on function api_v1.search_items is 'See content.search_items().';

revoke all on function api_v1.search_items from public;

grant execute on function api_v1.search_items to authenticated;

-- schema/api_v1/_functions/security_events.sql.j2

create function api_v1.security_events(
  tenant uuid default null,
  person uuid default null,
  event_code text default null,
  at_least audit.risk_level default 'low',
  since timestamptz default '-infinity',
  until timestamptz default 'infinity',
  before_id uuid default null,
  page_size integer default 50
)
returns table (id uuid, occurred_at timestamptz, event text, user_id uuid, tenant_id uuid, action text, resource text, outcome text, risk_level audit.risk_level, aal text, ip_address inet, user_agent text, session_id uuid, request_id uuid, details jsonb)
language sql
stable
set search_path = ''
as $$
  select * from audit.security_events(tenant, person, event_code, at_least, since, until, before_id, page_size)
$$;

comment on function api_v1.security_events is 'See audit.security_events().';

revoke all on function api_v1.security_events from public;

grant execute on function api_v1.security_events to authenticated;

-- schema/api_v1/_functions/set_membership_status.sql.j2

create function api_v1.set_membership_status(
  tenant uuid,
  person uuid,
  status iam.membership_status,
  reason text default null
)
returns boolean
language sql
set search_path = ''
as $$
  select iam.set_membership_status(tenant, person, status, reason)
$$;

comment on function api_v1.set_membership_status is 'See iam.set_membership_status().';

revoke all on function api_v1.set_membership_status from public;

grant execute on function api_v1.set_membership_status to authenticated;

-- schema/api_v1/_functions/set_tenant_status.sql.j2

create function api_v1.set_tenant_status(
  tenant uuid,
  status iam.tenant_status,
  reason text default null
)
returns void
language sql
set search_path = ''
as $$
  select iam.set_tenant_status(tenant, status, reason)
$$;

comment on function api_v1.set_tenant_status is 'See iam.set_tenant_status().';

revoke all on function api_v1.set_tenant_status from public;

grant execute on function api_v1.set_tenant_status to authenticated;

-- schema/api_v1/_functions/soft_delete.sql.j2

create function api_v1.soft_delete(
  p_table regclass,
  p_id uuid
)
returns boolean
language sql
set search_path = ''
as $$
  select core.soft_delete(p_table, p_id)
$$;

comment on function api_v1.soft_delete is 'See core.soft_delete().';

revoke all on function api_v1.soft_delete from public;

grant execute on function api_v1.soft_delete to authenticated;

-- schema/api_v1/_views/ai_agents.sql.j2

create view api_v1.ai_agents
with (security_invoker = true)
as
select
  i.id,
  i.tenant_id,
  i.folder_id,
  i.owner_id,
  i.title,
  i.description,
  i.language_code,
  i.status,
  i.visibility,
  i.version,
  i.metadata,
  i.published_at,
  i.created_at,
  i.updated_at,
  typed.system_prompt,
  typed.personality,
  typed.capabilities,
  typed.knowledge_base,
  typed.model_id,
  typed.temperature,
  typed.max_output_tokens,
  typed.safety_settings,
  typed.avatar_media_id
from content.items as i
join content.ai_agents as typed on typed.item_id = i.id;

comment on view api_v1.ai_agents is 'AI agents that the caller can read.';

-- schema/api_v1/_views/automations.sql.j2

create view api_v1.automations
with (security_invoker = true)
as
select
  i.id,
  i.tenant_id,
  i.folder_id,
  i.owner_id,
  i.title,
  i.description,
  i.language_code,
  i.status,
  i.visibility,
  i.version,
  i.metadata,
  i.published_at,
  i.created_at,
  i.updated_at,
  typed.trigger_type,
  typed.schedule_cron,
  typed.event_type,
  typed.definition,
  typed.is_enabled,
  typed.last_run_at,
  typed.next_run_at
from content.items as i
join content.automations as typed on typed.item_id = i.id;

comment on view api_v1.automations is 'Automations that the caller can read.';

-- schema/api_v1/_views/communities.sql.j2

create view api_v1.communities
with (security_invoker = true)
as
select
  t.id,
  t.slug,
  t.name,
  t.display_name,
  t.description,
  t.parent_id,
  t.status,
  t.visibility,
  s.project_name,
  s.welcome_message,
  s.join_policy
from iam.tenants as t
join iam.communities as s on s.id = t.id;

comment on view api_v1.communities is 'The communities that the caller can read.';

-- schema/api_v1/_views/conversations.sql.j2

create view api_v1.conversations
with (security_invoker = true)
as
select
  c.id,
  c.tenant_id,
  c.agent_id,
  c.model_id,
  c.mode,
  c.title,
  c.summary,
  c.status,
  c.context,
  c.message_count,
  c.started_at,
  c.last_message_at,
  c.ended_at
from ai.conversations as c;

comment on view api_v1.conversations is 'The conversations of the caller.';

-- schema/api_v1/_views/departments.sql.j2

create view api_v1.departments
with (security_invoker = true)
as
select
  u.id,
  u.tenant_id,
  u.name,
  u.code,
  u.description,
  u.parent_id,
  u.depth
from iam.units as u
where u.kind = 'department';

comment on view api_v1.departments is 'The departments of the tenants that the caller can read.';

-- schema/api_v1/_views/documents.sql.j2

create view api_v1.documents
with (security_invoker = true)
as
select
  i.id,
  i.tenant_id,
  i.folder_id,
  i.owner_id,
  i.title,
  i.description,
  i.language_code,
  i.status,
  i.visibility,
  i.version,
  i.metadata,
  i.published_at,
  i.created_at,
  i.updated_at,
  typed.body_format,
  typed.body,
  typed.media_id,
  typed.page_count,
  typed.word_count
from content.items as i
join content.documents as typed on typed.item_id = i.id;

comment on view api_v1.documents is 'Documents that the caller can read.';

-- schema/api_v1/_views/institutions.sql.j2

create view api_v1.institutions
with (security_invoker = true)
as
select
  t.id,
  t.slug,
  t.name,
  t.display_name,
  t.description,
  t.parent_id,
  t.status,
  t.visibility,
  s.short_name,
  s.institution_type,
  s.contact_information
from iam.tenants as t
join iam.institutions as s on s.id = t.id;

comment on view api_v1.institutions is 'The institutions that the caller can read.';

-- schema/api_v1/_views/languages.sql.j2

create view api_v1.languages
with (security_invoker = true)
as
select
  l.code,
  l.name,
  l.native_name,
  l.writing_direction,
  l.is_default
from platform.languages as l
where l.is_supported;

comment on view api_v1.languages is 'The supported languages.';

-- schema/api_v1/_views/me.sql.j2

create view api_v1.me
with (security_invoker = true)
as
select
  p.id,
  (select auth.email()) as email,
  p.full_name,
  p.display_name,
  p.avatar_url,
  p.job_title,
  p.timezone,
  p.locale,
  p.status,
  p.visibility,
  p.onboarding_completed,
  p.created_at,
  p.updated_at
from iam.profiles as p
where p.id = (select auth.uid());

comment on view api_v1.me is 'The profile of the caller. The address is that of the session.';

-- schema/api_v1/_views/messages.sql.j2

create view api_v1.messages
with (security_invoker = true)
as
select
  m.id,
  m.conversation_id,
  m.sequence_number,
  m.parent_message_id,
  m.role,
  m.content,
  m.content_format,
  m.model_id,
  m.created_at
from ai.conversation_messages as m;

comment on view api_v1.messages is 'The messages of the conversations of the caller.';

-- schema/api_v1/_views/my_roles.sql.j2

create view api_v1.my_roles
with (security_invoker = true)
as
select
  r.id,
  r.tenant_id,
  r.unit_id,
  k.code,
  k.name,
  r.expires_at
from iam.user_roles as r
join iam.roles as k on k.id = r.role_id
where r.user_id = (select auth.uid())
  and r.revoked_at is null;

comment on view api_v1.my_roles is 'The roles of the caller that are not revoked.';

-- schema/api_v1/_views/my_sessions.sql.j2

create view api_v1.my_sessions
with (security_invoker = true)
as
select
  s.session_id,
  s.ip_address,
  s.user_agent,
  s.aal,
  s.started_at,
  s.last_activity_at,
  s.ended_at
from audit.sessions as s
where s.user_id = (select auth.uid());

comment on view api_v1.my_sessions is 'The sessions of the caller.';

-- schema/api_v1/_views/my_tenants.sql.j2

create view api_v1.my_tenants
with (security_invoker = true)
as
select
  t.id,
  t.kind,
  t.slug,
  t.name,
  t.display_name,
  t.status,
  m.status as membership_status,
  m.joined_at
from iam.tenants as t
join iam.memberships as m on m.tenant_id = t.id
where m.user_id = (select auth.uid());

comment on view api_v1.my_tenants is 'The tenants of the caller with the status of the membership.';

-- schema/api_v1/_views/organizations.sql.j2

create view api_v1.organizations
with (security_invoker = true)
as
select
  t.id,
  t.slug,
  t.name,
  t.display_name,
  t.description,
  t.parent_id,
  t.status,
  t.visibility,
  s.legal_name,
  s.logo_url,
  s.industry,
  t.user_limit
from iam.tenants as t
join iam.organizations as s on s.id = t.id;

comment on view api_v1.organizations is 'The organizations that the caller can read.';

-- schema/api_v1/_views/people.sql.j2

create view api_v1.people
with (security_invoker = true)
as
select
  p.id,
  p.full_name,
  p.display_name,
  p.avatar_url,
  p.job_title,
  p.timezone,
  p.locale,
  p.visibility
from iam.profiles as p;

comment on view api_v1.people is 'The profiles that the caller can read: members of their tenants, and public profiles.';

-- schema/api_v1/_views/prompts.sql.j2

create view api_v1.prompts
with (security_invoker = true)
as
select
  i.id,
  i.tenant_id,
  i.folder_id,
  i.owner_id,
  i.title,
  i.description,
  i.language_code,
  i.status,
  i.visibility,
  i.version,
  i.metadata,
  i.published_at,
  i.created_at,
  i.updated_at,
  typed.template,
  typed.variables,
  typed.target_model_id,
  typed.usage_count
from content.items as i
join content.prompts as typed on typed.item_id = i.id;

comment on view api_v1.prompts is 'Prompts that the caller can read.';

-- schema/api_v1/_views/teams.sql.j2

create view api_v1.teams
with (security_invoker = true)
as
select
  u.id,
  u.tenant_id,
  u.name,
  u.code,
  u.description,
  u.parent_id,
  u.depth
from iam.units as u
where u.kind = 'team';

comment on view api_v1.teams is 'The teams of the tenants that the caller can read.';

-- schema/api_v1/_views/tenant_members.sql.j2

create view api_v1.tenant_members
with (security_invoker = true)
as
select
  m.tenant_id,
  m.user_id,
  m.status,
  m.joined_at,
  p.full_name,
  p.display_name,
  p.avatar_url
from iam.memberships as m
join iam.profiles as p on p.id = m.user_id;

comment on view api_v1.tenant_members is 'The members of the tenants of the caller.';

-- schema/api_v1/_views/videos.sql.j2

create view api_v1.videos
with (security_invoker = true)
as
select
  i.id,
  i.tenant_id,
  i.folder_id,
  i.owner_id,
  i.title,
  i.description,
  i.language_code,
  i.status,
  i.visibility,
  i.version,
  i.metadata,
  i.published_at,
  i.created_at,
  i.updated_at,
  typed.media_id,
  typed.external_url,
  typed.duration_seconds,
  typed.transcript,
  typed.transcript_status
from content.items as i
join content.videos as typed on typed.item_id = i.id;

comment on view api_v1.videos is 'Videos that the caller can read.';

-- policies/core.sql.j2

grant usage on schema core to aigym_auditor;
grant usage on schema core to aigym_job;
grant usage on schema core to anon;
grant usage on schema core to authenticated;
grant usage on schema core to service_role;

-- core.reads_catalog() decides about the rows.
grant select on core.data_catalog, core.column_catalog, core.integrity_rules
  to authenticated, service_role, aigym_auditor;

-- policies/privacy.sql.j2

grant usage on schema privacy to authenticated;
grant usage on schema privacy to service_role;

create policy data_archive_log_session on privacy.data_archive_log
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy data_archive_log_select on privacy.data_archive_log
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

grant select on privacy.data_archive_log to authenticated;
grant select on privacy.data_archive_log to service_role;

grant select on privacy.data_lifecycle_policies to authenticated, service_role;

-- policies/ops.sql.j2

grant usage on schema ops to authenticated;
grant usage on schema ops to service_role;

create policy partition_strategies_session on ops.partition_strategies
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy partition_strategies_select on ops.partition_strategies
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

grant select on ops.partition_strategies to authenticated;
grant select on ops.partition_strategies to service_role;

create policy partition_metadata_session on ops.partition_metadata
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy partition_metadata_select on ops.partition_metadata
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

grant select on ops.partition_metadata to authenticated;
grant select on ops.partition_metadata to service_role;

create policy job_runs_session on ops.job_runs
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy job_runs_select on ops.job_runs
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

grant select on ops.job_runs to authenticated;
grant select on ops.job_runs to service_role;

-- policies/audit.sql.j2

grant usage on schema audit to aigym_auditor;
grant usage on schema audit to authenticated;
grant usage on schema audit to service_role;

-- The logs of row changes and security events: see audit.events() and audit.security_events().
create policy audit_log_select_external_auditor on audit.audit_log
  for select to aigym_auditor
  using (true);

grant select on audit.audit_log to aigym_auditor;
grant select on audit.audit_log to service_role;

create policy security_audit_select_external_auditor on audit.security_audit
  for select to aigym_auditor
  using (true);

grant select on audit.security_audit to aigym_auditor;
grant select on audit.security_audit to service_role;

-- Events of the system and seals.
create policy system_events_session on audit.system_events
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy system_events_select on audit.system_events
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy system_events_select_external_auditor on audit.system_events
  for select to aigym_auditor
  using (true);

grant select on audit.system_events to aigym_auditor;
grant select on audit.system_events to authenticated;
grant select on audit.system_events to service_role;

create policy seals_session on audit.seals
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy seals_select on audit.seals
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy seals_select_external_auditor on audit.seals
  for select to aigym_auditor
  using (true);

grant select on audit.seals to aigym_auditor;
grant select on audit.seals to authenticated;
grant select on audit.seals to service_role;

create policy event_types_session on audit.event_types
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy event_types_select on audit.event_types
  for select to authenticated
  using (true);

create policy event_types_select_external_auditor on audit.event_types
  for select to aigym_auditor
  using (true);

grant select on audit.event_types to aigym_auditor;
grant select on audit.event_types to authenticated;
grant select on audit.event_types to service_role;

-- Sessions and elevations.
create policy sessions_session on audit.sessions
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy sessions_select on audit.sessions
  for select to authenticated
  using (user_id = (select auth.uid()));

grant select on audit.sessions to authenticated;
grant select on audit.sessions to service_role;

create policy security_contexts_session on audit.security_contexts
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy security_contexts_select on audit.security_contexts
  for select to authenticated
  using (user_id = (select auth.uid()));

grant select on audit.security_contexts to authenticated;

grant select on audit.security_contexts to service_role;

create policy security_contexts_select_external_auditor on audit.security_contexts
  for select to aigym_auditor
  using (true);

grant select on audit.security_contexts to aigym_auditor;

-- Views of the catalog; core.data_catalog decides about their rows.
grant select on audit.audit_policies, audit.audit_triggers, audit.row_level_policies
  to authenticated, service_role, aigym_auditor;

-- policies/iam.sql.j2

-- People. Only the owner (auth.email()) and the service role read the mail address.
create policy profiles_session on iam.profiles
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy profiles_select on iam.profiles
  for select to authenticated
  using (
    id = any (array(select authz.readable_user_ids('profile')))
    or exists (
      select
      from iam.memberships as m
      where m.user_id = profiles.id
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
        and (m.tenant_id = any (array(select authz.tenant_ids())) or m.tenant_id = any (array(select authz.admin_tenant_ids())))
    )
    or visibility = 'public'
  );

create policy profiles_update on iam.profiles
  for update to authenticated
  using (id = (select auth.uid()))
  with check (id = (select auth.uid()));

grant select, insert, update, delete on iam.profiles to service_role;

grant select (avatar_url, created_at, display_name, full_name, id, job_title, last_seen_at, locale, onboarding_completed, row_version, status, timezone, updated_at, visibility), update (avatar_url, display_name, full_name, job_title, locale, onboarding_completed, timezone, visibility) on iam.profiles to authenticated;

create policy profile_private_session on iam.profile_private
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy profile_private_select on iam.profile_private
  for select to authenticated
  using (user_id = (select auth.uid()));

create policy profile_private_insert on iam.profile_private
  for insert to authenticated
  with check (user_id = (select auth.uid()));

create policy profile_private_update on iam.profile_private
  for update to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

create policy profile_private_delete on iam.profile_private
  for delete to authenticated
  using (user_id = (select auth.uid()));

grant select, insert, update, delete on iam.profile_private to authenticated;
grant select, insert, update, delete on iam.profile_private to service_role;

create policy user_preferences_session on iam.user_preferences
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy user_preferences_select on iam.user_preferences
  for select to authenticated
  using (user_id = (select auth.uid()));

create policy user_preferences_insert on iam.user_preferences
  for insert to authenticated
  with check (user_id = (select auth.uid()));

create policy user_preferences_update on iam.user_preferences
  for update to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

create policy user_preferences_delete on iam.user_preferences
  for delete to authenticated
  using (user_id = (select auth.uid()));

grant select, insert, update, delete on iam.user_preferences to authenticated;
grant select, insert, update, delete on iam.user_preferences to service_role;

-- Failures of the triggers on auth.
create policy account_failures_session on iam.account_failures
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy account_failures_select on iam.account_failures
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy account_failures_select_external_auditor on iam.account_failures
  for select to aigym_auditor
  using (true);

grant select on iam.account_failures to aigym_auditor;
grant select on iam.account_failures to aigym_monitor;
grant select on iam.account_failures to authenticated;
grant select on iam.account_failures to service_role;

grant usage on schema iam to aigym_auditor;
grant usage on schema iam to aigym_job;
grant usage on schema iam to aigym_monitor;
grant usage on schema iam to authenticated;
grant usage on schema iam to service_role;

-- Tenants. Admins cannot update plan, region, status and parent.
create policy tenants_session on iam.tenants
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

-- allow policy-constant-branch: one row for thousands of people; a lookup by id or slug uses its index nevertheless
create policy tenants_select on iam.tenants
  for select to authenticated
  using (
    (
      id = any (array(select authz.tenant_ids()))
      or id = any (array(select authz.admin_tenant_ids()))
      or (visibility = 'public' and status in ('trial', 'active'))
      or (select authz.is_super_admin())
    )
    and deleted_at is null
  );

create policy tenants_update on iam.tenants
  for update to authenticated
  using (id = any (array(select authz.governed_with('tenant.configure'))) and deleted_at is null)
  with check (id = any (array(select authz.governed_with('tenant.configure'))) and deleted_at is null);

grant select, update (name, display_name, description, visibility, require_mfa, branding, settings) on iam.tenants to authenticated;

grant select, insert, update, delete on iam.tenants to service_role;

create policy communities_session on iam.communities
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy communities_select on iam.communities
  for select to authenticated
  using (exists (select from iam.tenants as parent where parent.id = communities.id));

create policy communities_update on iam.communities
  for update to authenticated
  using (id = any (array(select authz.governed_with('tenant.configure'))))
  with check (id = any (array(select authz.governed_with('tenant.configure'))));

grant select, update (project_name, welcome_message, join_policy) on iam.communities to authenticated;

grant select, insert, update, delete on iam.communities to service_role;

create policy organizations_session on iam.organizations
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy organizations_select on iam.organizations
  for select to authenticated
  using (exists (select from iam.tenants as parent where parent.id = organizations.id));

create policy organizations_update on iam.organizations
  for update to authenticated
  using (id = any (array(select authz.governed_with('tenant.configure'))))
  with check (id = any (array(select authz.governed_with('tenant.configure'))));

grant select, update (legal_name, logo_url, billing_email, industry) on iam.organizations to authenticated;

grant select, insert, update, delete on iam.organizations to service_role;

create policy institutions_session on iam.institutions
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy institutions_select on iam.institutions
  for select to authenticated
  using (exists (select from iam.tenants as parent where parent.id = institutions.id));

create policy institutions_update on iam.institutions
  for update to authenticated
  using (id = any (array(select authz.governed_with('tenant.configure'))))
  with check (id = any (array(select authz.governed_with('tenant.configure'))));

grant select, update (short_name, institution_type, contact_information, npi) on iam.institutions to authenticated;

grant select, insert, update, delete on iam.institutions to service_role;

create policy tenant_domains_session on iam.tenant_domains
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy tenant_domains_select on iam.tenant_domains
  for select to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy tenant_domains_insert on iam.tenant_domains
  for insert to authenticated
  with check (tenant_id = any (array(select authz.governed_with('tenant.configure'))));

create policy tenant_domains_update on iam.tenant_domains
  for update to authenticated
  using (tenant_id = any (array(select authz.governed_with('tenant.configure'))))
  with check (tenant_id = any (array(select authz.governed_with('tenant.configure'))));

create policy tenant_domains_delete on iam.tenant_domains
  for delete to authenticated
  using (tenant_id = any (array(select authz.governed_with('tenant.configure'))));

grant select, delete, insert (tenant_id, domain, auto_join, default_role_id), update (domain, auto_join, default_role_id) on iam.tenant_domains to authenticated;

grant select, insert, update, delete on iam.tenant_domains to service_role;

create policy units_session on iam.units
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy units_select on iam.units
  for select to authenticated
  using (
    (
      tenant_id = any (array(select authz.tenant_ids()))
      or tenant_id = any (array(select authz.admin_tenant_ids()))
    )
    and deleted_at is null
  );

create policy units_insert on iam.units
  for insert to authenticated
  with check (tenant_id = any (array(select authz.governed_with('unit.manage'))) and deleted_at is null);

create policy units_update on iam.units
  for update to authenticated
  using (tenant_id = any (array(select authz.governed_with('unit.manage'))) and deleted_at is null)
  with check (tenant_id = any (array(select authz.governed_with('unit.manage'))) and deleted_at is null);

grant select, insert (tenant_id, kind, name, code, description, parent_id, department_type, is_billable_unit, contact_information), update (kind, name, code, description, parent_id, department_type, is_billable_unit, contact_information) on iam.units to authenticated;

grant select, insert, update, delete on iam.units to service_role;

-- Members.
create policy relationship_types_session on iam.relationship_types
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy relationship_types_select on iam.relationship_types
  for select to authenticated
  using (true);

create policy relationship_types_insert on iam.relationship_types
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy relationship_types_update on iam.relationship_types
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy relationship_types_delete on iam.relationship_types
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, delete, insert (code, name, description, requires_approval, is_billable, can_manage_others, hierarchy_level), update (code, name, description, requires_approval, is_billable, can_manage_others, hierarchy_level) on iam.relationship_types to authenticated;

grant select, insert, update, delete on iam.relationship_types to service_role;

create policy memberships_session on iam.memberships
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy memberships_select on iam.memberships
  for select to authenticated
  using (
    user_id = (select auth.uid())
    or tenant_id = any (array(select authz.admin_tenant_ids()))
    or (memberships.status = 'active' and (memberships.expires_at is null or memberships.expires_at > now()) and tenant_id = any (array(select authz.tenant_ids())))
  );

grant select on iam.memberships to authenticated;

grant select, insert, update, delete on iam.memberships to service_role;

create policy unit_members_session on iam.unit_members
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy unit_members_select on iam.unit_members
  for select to authenticated
  using (
    tenant_id = any (array(select authz.tenant_ids()))
    or tenant_id = any (array(select authz.admin_tenant_ids()))
  );

create policy unit_members_insert on iam.unit_members
  for insert to authenticated
  with check (tenant_id = any (array(select authz.governed_with('unit.manage'))));

create policy unit_members_update on iam.unit_members
  for update to authenticated
  using (tenant_id = any (array(select authz.governed_with('unit.manage'))))
  with check (tenant_id = any (array(select authz.governed_with('unit.manage'))));

create policy unit_members_delete on iam.unit_members
  for delete to authenticated
  using (tenant_id = any (array(select authz.governed_with('unit.manage'))));

grant select, delete, insert (tenant_id, unit_id, user_id, is_primary, is_lead), update (is_primary, is_lead) on iam.unit_members to authenticated;

grant select, insert, update, delete on iam.unit_members to service_role;

create policy invitations_session on iam.invitations
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy invitations_select on iam.invitations
  for select to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())));

grant select on iam.invitations to authenticated;

grant select, insert, update, delete on iam.invitations to service_role;

-- Roles and permissions.
create policy roles_session on iam.roles
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy roles_select on iam.roles
  for select to authenticated
  using (deleted_at is null);

grant select on iam.roles to authenticated;

grant select, insert, update, delete on iam.roles to service_role;

create policy permissions_session on iam.permissions
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy permissions_select on iam.permissions
  for select to authenticated
  using (true);

grant select on iam.permissions to authenticated;

grant select, insert, update, delete on iam.permissions to service_role;

create policy role_permissions_session on iam.role_permissions
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy role_permissions_select on iam.role_permissions
  for select to authenticated
  using (true);

grant select on iam.role_permissions to authenticated;

grant select, insert, update, delete on iam.role_permissions to service_role;

create policy user_roles_session on iam.user_roles
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy user_roles_select on iam.user_roles
  for select to authenticated
  using (
    user_id = (select auth.uid())
    or tenant_id = any (array(select authz.admin_tenant_ids()))
    or (tenant_id is null and ((select authz.is_super_admin()) or (select authz.is_auditor())))
  );

grant select on iam.user_roles to authenticated;

grant select, insert, update, delete on iam.user_roles to service_role;

create policy permission_grants_session on iam.permission_grants
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy permission_grants_select on iam.permission_grants
  for select to authenticated
  using (
    user_id = (select auth.uid())
    or tenant_id = any (array(select authz.admin_tenant_ids()))
    or (tenant_id is null and ((select authz.is_super_admin()) or (select authz.is_auditor())))
  );

grant select on iam.permission_grants to authenticated;

grant select, insert, update, delete on iam.permission_grants to service_role;

-- policies/platform.sql.j2

grant usage on schema platform to anon;
grant usage on schema platform to authenticated;
grant usage on schema platform to service_role;

create policy languages_session on platform.languages
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy languages_select on platform.languages
  for select to authenticated
  using (true);

create policy languages_insert on platform.languages
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy languages_update on platform.languages
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy languages_delete on platform.languages
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, delete, insert (code, name, native_name, writing_direction, text_search_config, is_supported, is_default, display_order, completion_percent), update (code, name, native_name, writing_direction, text_search_config, is_supported, is_default, display_order, completion_percent) on platform.languages to authenticated;

grant select, insert, update, delete on platform.languages to service_role;

create policy languages_select_anon on platform.languages
  for select to anon
  using (true);

grant select on platform.languages to anon;

-- policies/media.sql.j2

grant usage on schema media to anon;
grant usage on schema media to authenticated;
grant usage on schema media to service_role;

create policy media_types_session on media.media_types
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy media_types_select on media.media_types
  for select to authenticated
  using (true);

create policy media_types_insert on media.media_types
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy media_types_update on media.media_types
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy media_types_delete on media.media_types
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, delete, insert (code, name, description, allowed_mime_types, max_file_size_bytes), update (code, name, description, allowed_mime_types, max_file_size_bytes) on media.media_types to authenticated;

grant select, insert, update, delete on media.media_types to service_role;

create policy media_types_select_anon on media.media_types
  for select to anon
  using (true);

grant select on media.media_types to anon;

-- The server sets storage location, checksum and status.
create policy media_session on media.media
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy media_select on media.media
  for select to authenticated
  using (
    (
      (owner_id = (select auth.uid()) and (tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))))
      or tenant_id = any (array(select authz.admin_tenant_ids()))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
      or (visibility = 'public' and (tenant_id is null or authz.tenant_is_open(tenant_id)))
      or (visibility = 'tenant' and tenant_id = any (array(select authz.tenant_ids())))
    )
    and deleted_at is null
  );

create policy media_insert on media.media
  for insert to authenticated
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('media.create'))))
      or (owner_id = (select auth.uid()) and tenant_id is null and visibility = 'private')
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

create policy media_update on media.media
  for update to authenticated
  using (
    (
      (owner_id = (select auth.uid()) and tenant_id is null)
      or (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('media.create'))))
      or tenant_id = any (array(select authz.tenants_with('media.edit')))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  )
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id is null and visibility = 'private')
      or (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('media.create'))))
      or tenant_id = any (array(select authz.tenants_with('media.edit')))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

grant select, insert (media_type_id, tenant_id, owner_id, visibility, filename, mime_type, file_size_bytes, alt_text), update (visibility, filename, alt_text) on media.media to authenticated;

grant select, insert, update, delete on media.media to service_role;

-- policies/ai.sql.j2

grant usage on schema ai to authenticated;
grant usage on schema ai to service_role;

create policy providers_session on ai.providers
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy providers_select on ai.providers
  for select to authenticated
  using (true);

create policy providers_insert on ai.providers
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy providers_update on ai.providers
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy providers_delete on ai.providers
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, delete, insert, update on ai.providers to authenticated;

grant select, insert, update, delete on ai.providers to service_role;

create policy models_session on ai.models
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy models_select on ai.models
  for select to authenticated
  using (true);

create policy models_insert on ai.models
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy models_update on ai.models
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy models_delete on ai.models
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, delete, insert, update on ai.models to authenticated;

grant select, insert, update, delete on ai.models to service_role;

create policy conversations_session on ai.conversations
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy conversations_select on ai.conversations
  for select to authenticated
  using (user_id = any (array(select authz.readable_user_ids('conversations'))) and (user_id <> (select auth.uid()) or tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))) and deleted_at is null);

create policy conversations_insert on ai.conversations
  for insert to authenticated
  with check (user_id = (select auth.uid()) and (tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))) and (tenant_id is null or tenant_id = any (array(select authz.tenants_with('ai.use')))) and deleted_at is null);

create policy conversations_update on ai.conversations
  for update to authenticated
  using (user_id = (select auth.uid()) and (tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))) and deleted_at is null)
  with check (user_id = (select auth.uid()) and (tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))) and deleted_at is null);

grant select, insert (tenant_id, agent_id, model_id, mode, title, context), update (agent_id, model_id, mode, title, summary, status, context) on ai.conversations to authenticated;

grant select, insert, delete, update (agent_id, model_id, mode, title, summary, status, context, ended_at, experiment_variant_id) on ai.conversations to service_role;

create policy conversation_messages_session on ai.conversation_messages
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy conversation_messages_select on ai.conversation_messages
  for select to authenticated
  using (user_id = any (array(select authz.readable_user_ids('conversations'))) and (user_id <> (select auth.uid()) or tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))));

grant select on ai.conversation_messages to authenticated;

grant select on ai.conversation_messages to service_role;

-- policies/content.sql.j2

grant usage on schema content to authenticated;
grant usage on schema content to service_role;

create policy repositories_session on content.repositories
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy repositories_select on content.repositories
  for select to authenticated
  using (true);

create policy repositories_insert on content.repositories
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy repositories_update on content.repositories
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy repositories_delete on content.repositories
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, delete, insert (code, content_type, name, description, settings, is_enabled), update (code, content_type, name, description, settings, is_enabled) on content.repositories to authenticated;

grant select, insert, update, delete on content.repositories to service_role;

create policy folders_session on content.folders
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy folders_select on content.folders
  for select to authenticated
  using (
    (
      tenant_id = any (array(select authz.tenant_ids()))
      or tenant_id = any (array(select authz.admin_tenant_ids()))
    )
    and deleted_at is null
  );

create policy folders_insert on content.folders
  for insert to authenticated
  with check (tenant_id = any (array(select authz.tenants_with('content.edit'))) and deleted_at is null);

create policy folders_update on content.folders
  for update to authenticated
  using (tenant_id = any (array(select authz.tenants_with('content.edit'))) and deleted_at is null)
  with check (tenant_id = any (array(select authz.tenants_with('content.edit'))) and deleted_at is null);

grant select, insert (tenant_id, repository_id, parent_id, name), update (parent_id, name) on content.folders to authenticated;

grant select, insert, update, delete on content.folders to service_role;

-- Publishing also requires content.publish: trigger ae_publish.
create policy items_session on content.items
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy items_select on content.items
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy items_insert on content.items
  for insert to authenticated
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or (tenant_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

create policy items_update on content.items
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and deleted_at is null)
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and deleted_at is null);

grant select, insert (repository_id, content_type, tenant_id, owner_id, folder_id, title, description, thumbnail_media_id, language_code, status, visibility, metadata), update (folder_id, title, description, thumbnail_media_id, language_code, status, visibility, metadata) on content.items to authenticated;

grant select, insert, update, delete on content.items to service_role;

create policy ai_agents_session on content.ai_agents
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy ai_agents_select on content.ai_agents
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy ai_agents_insert on content.ai_agents
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy ai_agents_update on content.ai_agents
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy ai_agents_delete on content.ai_agents
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, system_prompt, personality, capabilities, knowledge_base, model_id, temperature, max_output_tokens, safety_settings, avatar_media_id), update (system_prompt, personality, capabilities, knowledge_base, model_id, temperature, max_output_tokens, safety_settings, avatar_media_id) on content.ai_agents to authenticated;

grant select, insert, update, delete on content.ai_agents to service_role;

create policy videos_session on content.videos
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy videos_select on content.videos
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy videos_insert on content.videos
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy videos_update on content.videos
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy videos_delete on content.videos
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, media_id, external_url, duration_seconds, transcript), update (media_id, external_url, duration_seconds, transcript) on content.videos to authenticated;

grant select, insert, update, delete on content.videos to service_role;

create policy documents_session on content.documents
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy documents_select on content.documents
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy documents_insert on content.documents
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy documents_update on content.documents
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy documents_delete on content.documents
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, body_format, body, media_id, page_count, word_count), update (body_format, body, media_id, page_count, word_count) on content.documents to authenticated;

grant select, insert, update, delete on content.documents to service_role;

create policy prompts_session on content.prompts
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy prompts_select on content.prompts
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy prompts_insert on content.prompts
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy prompts_update on content.prompts
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy prompts_delete on content.prompts
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, template, variables, target_model_id), update (template, variables, target_model_id) on content.prompts to authenticated;

grant select, insert, update, delete on content.prompts to service_role;

create policy automations_session on content.automations
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy automations_select on content.automations
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy automations_insert on content.automations
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy automations_update on content.automations
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy automations_delete on content.automations
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, trigger_type, schedule_cron, event_type, definition, is_enabled), update (trigger_type, schedule_cron, event_type, definition, is_enabled) on content.automations to authenticated;

grant select, insert, update, delete on content.automations to service_role;

-- policies/api_v1.sql.j2

grant usage on schema api_v1 to anon;
grant usage on schema api_v1 to authenticated;
grant usage on schema api_v1 to service_role;

grant select on api_v1.ai_agents to authenticated, service_role;

grant select on api_v1.automations to authenticated, service_role;

grant select on api_v1.communities to authenticated, service_role;

grant select on api_v1.conversations to authenticated, service_role;

grant select on api_v1.departments to authenticated, service_role;

grant select on api_v1.documents to authenticated, service_role;

grant select on api_v1.institutions to authenticated, service_role;

grant select on api_v1.languages to authenticated, service_role;

grant select on api_v1.me to authenticated, service_role;

grant select on api_v1.messages to authenticated, service_role;

grant select on api_v1.my_roles to authenticated, service_role;

grant select on api_v1.my_sessions to authenticated, service_role;

grant select on api_v1.my_tenants to authenticated, service_role;

grant select on api_v1.organizations to authenticated, service_role;

grant select on api_v1.people to authenticated, service_role;

grant select on api_v1.prompts to authenticated, service_role;

grant select on api_v1.teams to authenticated, service_role;

grant select on api_v1.tenant_members to authenticated, service_role;

grant select on api_v1.videos to authenticated, service_role;

grant select on api_v1.languages to anon;

-- migrate:down

revoke usage on schema api_v1 from anon;
revoke usage on schema api_v1 from authenticated;
revoke usage on schema api_v1 from service_role;
revoke usage on schema content from authenticated;
revoke usage on schema content from service_role;
revoke usage on schema ai from authenticated;
revoke usage on schema ai from service_role;
revoke usage on schema media from anon;
revoke usage on schema media from authenticated;
revoke usage on schema media from service_role;
revoke usage on schema platform from anon;
revoke usage on schema platform from authenticated;
revoke usage on schema platform from service_role;
revoke usage on schema iam from aigym_auditor;
revoke usage on schema iam from aigym_job;
revoke usage on schema iam from aigym_monitor;
revoke usage on schema iam from authenticated;
revoke usage on schema iam from service_role;
revoke select on iam.account_failures from aigym_auditor;
revoke select on iam.account_failures from aigym_monitor;
revoke select on iam.account_failures from authenticated;
revoke select on iam.account_failures from service_role;
drop policy account_failures_select_external_auditor on iam.account_failures;
drop policy account_failures_select on iam.account_failures;
drop policy account_failures_session on iam.account_failures;
revoke select, insert, update, delete on iam.user_preferences from authenticated;
revoke select, insert, update, delete on iam.user_preferences from service_role;
drop policy user_preferences_delete on iam.user_preferences;
drop policy user_preferences_update on iam.user_preferences;
drop policy user_preferences_insert on iam.user_preferences;
drop policy user_preferences_select on iam.user_preferences;
drop policy user_preferences_session on iam.user_preferences;
revoke select, insert, update, delete on iam.profile_private from authenticated;
revoke select, insert, update, delete on iam.profile_private from service_role;
drop policy profile_private_delete on iam.profile_private;
drop policy profile_private_update on iam.profile_private;
drop policy profile_private_insert on iam.profile_private;
drop policy profile_private_select on iam.profile_private;
drop policy profile_private_session on iam.profile_private;
revoke select (avatar_url, created_at, display_name, full_name, id, job_title, last_seen_at, locale, onboarding_completed, row_version, status, timezone, updated_at, visibility), update (avatar_url, display_name, full_name, job_title, locale, onboarding_completed, timezone, visibility) on iam.profiles from authenticated;
revoke select, insert, update, delete on iam.profiles from service_role;
drop policy profiles_update on iam.profiles;
drop policy profiles_select on iam.profiles;
drop policy profiles_session on iam.profiles;
revoke select on audit.sessions from authenticated;
revoke select on audit.sessions from service_role;
drop policy sessions_select on audit.sessions;
drop policy sessions_session on audit.sessions;
revoke select on audit.event_types from aigym_auditor;
revoke select on audit.event_types from authenticated;
revoke select on audit.event_types from service_role;
drop policy event_types_select_external_auditor on audit.event_types;
drop policy event_types_select on audit.event_types;
drop policy event_types_session on audit.event_types;
revoke select on audit.seals from aigym_auditor;
revoke select on audit.seals from authenticated;
revoke select on audit.seals from service_role;
drop policy seals_select_external_auditor on audit.seals;
drop policy seals_select on audit.seals;
drop policy seals_session on audit.seals;
revoke select on audit.system_events from aigym_auditor;
revoke select on audit.system_events from authenticated;
revoke select on audit.system_events from service_role;
drop policy system_events_select_external_auditor on audit.system_events;
drop policy system_events_select on audit.system_events;
drop policy system_events_session on audit.system_events;
revoke select on audit.security_audit from aigym_auditor;
revoke select on audit.security_audit from service_role;
drop policy security_audit_select_external_auditor on audit.security_audit;
revoke select on audit.audit_log from aigym_auditor;
revoke select on audit.audit_log from service_role;
drop policy audit_log_select_external_auditor on audit.audit_log;
revoke usage on schema audit from aigym_auditor;
revoke usage on schema audit from authenticated;
revoke usage on schema audit from service_role;
revoke select on ops.job_runs from authenticated;
revoke select on ops.job_runs from service_role;
drop policy job_runs_select on ops.job_runs;
drop policy job_runs_session on ops.job_runs;
revoke select on ops.partition_metadata from authenticated;
revoke select on ops.partition_metadata from service_role;
drop policy partition_metadata_select on ops.partition_metadata;
drop policy partition_metadata_session on ops.partition_metadata;
revoke select on ops.partition_strategies from authenticated;
revoke select on ops.partition_strategies from service_role;
drop policy partition_strategies_select on ops.partition_strategies;
drop policy partition_strategies_session on ops.partition_strategies;
revoke usage on schema ops from authenticated;
revoke usage on schema ops from service_role;
revoke select on privacy.data_archive_log from authenticated;
revoke select on privacy.data_archive_log from service_role;
drop policy data_archive_log_select on privacy.data_archive_log;
drop policy data_archive_log_session on privacy.data_archive_log;
revoke usage on schema privacy from authenticated;
revoke usage on schema privacy from service_role;
revoke usage on schema core from aigym_auditor;
revoke usage on schema core from aigym_job;
revoke usage on schema core from anon;
revoke usage on schema core from authenticated;
revoke usage on schema core from service_role;
drop trigger ba_personal_files on iam.profiles;
revoke execute on function iam.address_of(uuid, text) from aigym_authz;
drop view api_v1.videos;
drop view api_v1.tenant_members;
drop view api_v1.teams;
drop view api_v1.prompts;
drop view api_v1.people;
drop view api_v1.organizations;
drop view api_v1.my_tenants;
drop view api_v1.my_sessions;
drop view api_v1.my_roles;
drop view api_v1.messages;
drop view api_v1.me;
drop view api_v1.languages;
drop view api_v1.institutions;
drop view api_v1.documents;
drop view api_v1.departments;
drop view api_v1.conversations;
drop view api_v1.communities;
drop view api_v1.automations;
drop view api_v1.ai_agents;
drop view core.column_catalog;
drop view audit.row_level_policies;
drop view audit.audit_triggers;
drop view audit.audit_policies;
drop view privacy.data_lifecycle_policies;
drop view core.integrity_rules;
drop view core.data_catalog;
drop function api_v1.events(uuid, uuid, uuid, text, jsonb, timestamp with time zone, timestamp with time zone, uuid, integer);
drop function audit.sessions_of(uuid);
drop function audit.broken_seals(timestamp with time zone);
drop function audit.events(uuid, uuid, uuid, text, jsonb, timestamp with time zone, timestamp with time zone, uuid, integer);
drop function audit.elevations(uuid);

drop table
  content.videos,
  content.documents,
  content.prompts,
  content.automations,
  ai.conversation_messages,
  ai.conversations,
  content.ai_agents,
  content.items,
  content.folders,
  content.repositories,
  ai.models,
  ai.providers,
  media.media,
  media.media_types,
  platform.languages,
  iam.user_roles,
  iam.unit_members,
  iam.memberships,
  iam.tenant_domains,
  iam.permission_grants,
  iam.invitations,
  iam.units,
  iam.organizations,
  iam.institutions,
  iam.communities,
  iam.tenants,
  iam.role_permissions,
  iam.roles,
  iam.relationship_types,
  iam.permissions,
  audit.security_contexts;

drop function api_v1.soft_delete(regclass, uuid);
drop function api_v1.set_tenant_status(uuid, iam.tenant_status, text);
drop function api_v1.set_membership_status(uuid, uuid, iam.membership_status, text);
drop function api_v1.security_events(uuid, uuid, text, audit.risk_level, timestamp with time zone, timestamp with time zone, uuid, integer);
drop function api_v1.search_items(text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid);
drop function api_v1.revoke_role(uuid, text);
drop function api_v1.revoke_permission(uuid);
drop function api_v1.revoke_invitation(uuid);
drop function api_v1.restore(regclass, uuid);
drop function api_v1.request_membership(uuid);
drop function api_v1.join_by_domain(uuid);
drop function api_v1.invite(uuid, text, text, uuid);
drop function api_v1.hand_over_ownership(uuid, uuid);
drop function api_v1.grant_role(uuid, text, uuid, uuid, timestamp with time zone, text);
drop function api_v1.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamp with time zone, text);
drop function api_v1.end_elevation(uuid);
drop function api_v1.elevate(text, text, uuid, uuid, text, interval);
drop function api_v1.create_tenant(iam.tenant_kind, text, text, uuid, text);
drop function api_v1.append_message(uuid, text);
drop function api_v1.access_review(uuid);
drop function api_v1.accept_invitation(text);
drop function content.search_items(text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid);
drop function content.require_source();
drop function content.reject_deleted_folder();
drop function content.publish_item();
drop function content.copy_root_to_part();
drop function content.copy_root();
drop function content.can_read(text, uuid, uuid, uuid, uuid[], uuid[], boolean);
drop function ai.reject_unseen_agent();
drop function ai.number_message();
drop function ai.end_conversation();
drop function ai.append_reply(uuid, text, text, uuid, integer, integer, numeric, integer, jsonb);
drop function ai.append_message(uuid, text);
drop function media.reject_unseen_file();
drop function media.delete_personal_files();
drop function media.check_file();
drop function iam.set_tenant_status(uuid, iam.tenant_status, text);
drop function iam.set_role_permission(text, text, boolean);
drop function iam.set_membership_status(uuid, uuid, iam.membership_status, text);
drop function iam.revoke_role(uuid, text);
drop function iam.revoke_permission(uuid);
drop function iam.revoke_invitations_of(uuid, uuid);
drop function iam.revoke_invitation(uuid);
drop function iam.request_membership(uuid);
drop function iam.repair_profiles();
drop function iam.lock_tenant(uuid);
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
drop function iam.limit_members();
drop function iam.join_by_domain(uuid);
drop function iam.invite(uuid, text, text, uuid);
drop function iam.hand_over_ownership(uuid, uuid);
drop function iam.guard_domain_verification();
drop function iam.grant_role(uuid, text, uuid, uuid, timestamp with time zone, text);
drop function iam.grant_permission(text, iam.grant_effect, uuid, uuid, text, timestamp with time zone, text);
drop function iam.end_role();
drop function iam.end_membership();
drop function iam.create_tenant(iam.tenant_kind, text, text, uuid, text);
drop function iam.assert_other_owner(uuid, uuid);
drop function authz.unrepaired_accounts();
drop function iam.access_review(uuid);
drop function iam.accept_invitation(text);
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

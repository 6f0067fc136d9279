-- 0005 shared types
-- from: schema/core/_types.sql.j2, schema/privacy/_types.sql.j2, schema/audit/_types.sql.j2, schema/iam/_types.sql.j2, schema/ai/_types.sql.j2, schema/content/_types.sql.j2
-- migrate:up

-- schema/core/_types.sql.j2

create type core.visibility_level as enum (
  'private',
  'shared',
  'unit',
  'tenant',
  'role_based',
  'internal',
  'public',
  'system'
);

comment on type core.visibility_level is 'Who may see a resource, from its owner alone to everybody.';

create type core.resource_status as enum ('active', 'archived', 'deleted', 'migrated');

comment on type core.resource_status is 'Whether a resource is in use.';

create type core.event_status as enum ('pending', 'processing', 'completed', 'failed', 'retrying', 'dead');

comment on type core.event_status is 'How far the work an event asks for has come.';

create type core.work_priority as enum ('low', 'normal', 'high', 'urgent');

comment on type core.work_priority is 'What a queue hands out first.';

create type core.severity as enum ('info', 'warning', 'error', 'critical');

comment on type core.severity is 'How bad an event is.';

-- schema/privacy/_types.sql.j2

create type privacy.gdpr_rule as enum ('delete', 'anonymise', 'pseudonymise', 'retain', 'not_personal');

comment on type privacy.gdpr_rule is 'What erasure does with the rows of a table.';

create type privacy.legal_basis as enum (
  'consent',
  'contract',
  'legal_obligation',
  'vital_interests',
  'public_task',
  'legitimate_interests'
);

comment on type privacy.legal_basis is 'Why personal data may be processed (GDPR, article 6).';

create type privacy.request_type as enum (
  'access',
  'portability',
  'erasure',
  'rectification',
  'restriction',
  'objection'
);

comment on type privacy.request_type is 'What a person may ask for (GDPR, chapter III).';

create type privacy.request_status as enum (
  'received',
  'verifying',
  'approved',
  'processing',
  'completed',
  'rejected',
  'failed',
  'cancelled'
);

comment on type privacy.request_status is 'How far such a request has come.';

-- schema/audit/_types.sql.j2

create type audit.action as enum (
  'insert',
  'update',
  'delete',
  'truncate',
  'soft_delete',
  'restore',
  'view',
  'export',
  'share',
  'archive',
  'login',
  'logout',
  'anonymise',
  'erase',
  'permission_change',
  'config_change',
  'migration'
);

comment on type audit.action is 'What was done to a row.';

create type audit.risk_level as enum ('low', 'medium', 'high', 'critical');

comment on type audit.risk_level is 'How much a security event should worry whoever reads it.';

-- schema/iam/_types.sql.j2

create type iam.tenant_kind as enum ('community', 'organization', 'institution');

comment on type iam.tenant_kind is 'Which of the three subtype tables describes a tenant further.';

create type iam.tenant_status as enum ('trial', 'active', 'suspended', 'inactive', 'closing');

comment on type iam.tenant_status is 'Where a tenant stands between sign-up and goodbye.';

create type iam.membership_status as enum ('invited', 'pending', 'active', 'suspended', 'terminated', 'expired');

comment on type iam.membership_status is 'Only an active membership opens a tenant.';

create type iam.role_tier as enum ('super_admin', 'community_admin', 'end_user');

comment on type iam.role_tier is 'The three tiers the policies know. Every named role belongs to exactly one; '
  'declared from most to least powerful.';

create type iam.unit_kind as enum ('team', 'department', 'group');

comment on type iam.unit_kind is 'Teams and departments are one tree.';

create type iam.grant_effect as enum ('allow', 'deny');

comment on type iam.grant_effect is 'Deny wins over allow.';

-- schema/ai/_types.sql.j2

create type ai.message_role as enum ('system', 'user', 'assistant', 'tool');

comment on type ai.message_role is 'Who speaks in a message. A person may only write as user.';

create type ai.conversation_status as enum ('active', 'paused', 'completed', 'archived');

comment on type ai.conversation_status is 'Where a conversation stands for its owner.';

create type ai.conversation_mode as enum ('sandbox', 'assigned', 'coaching');

comment on type ai.conversation_mode is 'Why a conversation was started.';

-- schema/content/_types.sql.j2

create type content.content_type as enum ('ai_agent', 'video', 'document', 'prompt', 'automation');

comment on type content.content_type is 'One per repository: what kind of thing it holds.';

create type content.content_status as enum ('draft', 'review', 'approved', 'published', 'archived');

comment on type content.content_status is 'The way of an item to its readers. Only published items are read by '
  'others than editors.';

-- migrate:down

drop type content.content_status;
drop type content.content_type;
drop type ai.conversation_mode;
drop type ai.conversation_status;
drop type ai.message_role;
drop type iam.grant_effect;
drop type iam.unit_kind;
drop type iam.role_tier;
drop type iam.membership_status;
drop type iam.tenant_status;
drop type iam.tenant_kind;
drop type audit.risk_level;
drop type audit.action;
drop type privacy.request_status;
drop type privacy.request_type;
drop type privacy.legal_basis;
drop type privacy.gdpr_rule;
drop type core.severity;
drop type core.work_priority;
drop type core.event_status;
drop type core.resource_status;
drop type core.visibility_level;

-- 0005 shared types
-- from: schema/core/_types.sql.j2, schema/privacy/_types.sql.j2, schema/audit/_types.sql.j2, schema/iam/_types.sql.j2, schema/ai/_types.sql.j2, schema/content/_types.sql.j2
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

-- schema/privacy/_types.sql.j2

create type privacy.gdpr_rule as enum ('delete', 'anonymise', 'pseudonymise', 'retain', 'not_personal');

comment on type privacy.gdpr_rule is 'The effect of erasure on the rows of a table.';

create type privacy.legal_basis as enum (
  'consent',
  'contract',
  'legal_obligation',
  'vital_interests',
  'public_task',
  'legitimate_interests'
);

comment on type privacy.legal_basis is 'The legal basis for processing personal data (GDPR, article 6).';

create type privacy.request_type as enum (
  'access',
  'portability',
  'erasure',
  'rectification',
  'restriction',
  'objection'
);

comment on type privacy.request_type is 'The requests that a person can make (GDPR, chapter III).';

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

comment on type privacy.request_status is 'The progress of a request.';

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

comment on type audit.action is 'The kind of change to a row.';

create type audit.risk_level as enum ('low', 'medium', 'high', 'critical');

comment on type audit.risk_level is 'The severity of a security event.';

-- schema/iam/_types.sql.j2

create type iam.tenant_kind as enum ('community', 'organization', 'institution');

comment on type iam.tenant_kind is 'The subtype table with the other columns of a tenant.';

create type iam.tenant_status as enum ('trial', 'active', 'suspended', 'inactive', 'closing');

comment on type iam.tenant_status is 'The status of a tenant from sign-up to closure.';

create type iam.membership_status as enum ('invited', 'pending', 'active', 'suspended', 'terminated', 'expired');

comment on type iam.membership_status is 'Only an active membership gives access to a tenant.';

create type iam.role_tier as enum ('super_admin', 'community_admin', 'end_user');

comment on type iam.role_tier is
  'The three tiers that policies distinguish, from most to least powerful. Each named role belongs to one '
  'tier.';

create type iam.unit_kind as enum ('team', 'department', 'group');

comment on type iam.unit_kind is 'The kinds of unit; teams and departments are in one tree.';

create type iam.grant_effect as enum ('allow', 'deny');

comment on type iam.grant_effect is 'Deny takes precedence over allow.';

-- schema/ai/_types.sql.j2

create type ai.message_role as enum ('system', 'user', 'assistant', 'tool');

comment on type ai.message_role is 'The author of a message. A person can insert messages of role user only.';

create type ai.conversation_status as enum ('active', 'paused', 'completed', 'archived');

comment on type ai.conversation_status is 'The status of a conversation for its owner.';

create type ai.conversation_mode as enum ('sandbox', 'assigned', 'coaching');

comment on type ai.conversation_mode is 'The purpose of a conversation.';

-- schema/content/_types.sql.j2

create type content.content_type as enum ('ai_agent', 'video', 'document', 'prompt', 'automation');

comment on type content.content_type is 'The type of the items of a repository; one repository per type.';

create type content.content_status as enum ('draft', 'review', 'approved', 'published', 'archived');

comment on type content.content_status is
  'The publication status of an item. Only the owner and the editors and admins of the tenant can read '
  'unpublished items.';

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
drop domain core.time_zone;
drop domain core.http_url;
drop domain core.severity;
drop domain core.visibility_level;

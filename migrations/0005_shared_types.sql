-- 0005 shared types
-- from: schema/core/_types.sql.j2, schema/audit/_types.sql.j2, schema/iam/_types.sql.j2, schema/ai/_types.sql.j2, schema/content/_types.sql.j2
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

-- schema/audit/_types.sql.j2

create domain audit.action as text
  constraint action_check check (value in ('insert', 'update', 'delete', 'soft_delete', 'restore'));

comment on domain audit.action is 'The kind of change to a row.';

-- An enum, because the order is compared; the functions that read the logs compare it as their owner.
create type audit.risk_level as enum ('low', 'medium', 'high', 'critical');

comment on type audit.risk_level is 'The severity of a security event.';

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

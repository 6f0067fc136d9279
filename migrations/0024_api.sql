-- 0024 api
-- from: schema/api_v1/_functions/accept_invitation.sql.j2, schema/api_v1/_functions/access_review.sql.j2, schema/api_v1/_functions/append_message.sql.j2, schema/api_v1/_functions/create_tenant.sql.j2, schema/api_v1/_functions/elevate.sql.j2, schema/api_v1/_functions/end_elevation.sql.j2, schema/api_v1/_functions/events.sql.j2, schema/api_v1/_functions/grant_permission.sql.j2, schema/api_v1/_functions/grant_role.sql.j2, schema/api_v1/_functions/hand_over_ownership.sql.j2, schema/api_v1/_functions/invite.sql.j2, schema/api_v1/_functions/join_by_domain.sql.j2, schema/api_v1/_functions/request_membership.sql.j2, schema/api_v1/_functions/restore.sql.j2, schema/api_v1/_functions/revoke_invitation.sql.j2, schema/api_v1/_functions/revoke_permission.sql.j2, schema/api_v1/_functions/revoke_role.sql.j2, schema/api_v1/_functions/search_items.sql.j2, schema/api_v1/_functions/security_events.sql.j2, schema/api_v1/_functions/set_membership_status.sql.j2, schema/api_v1/_functions/set_tenant_status.sql.j2, schema/api_v1/_functions/soft_delete.sql.j2, schema/api_v1/_views/ai_agents.sql.j2, schema/api_v1/_views/automations.sql.j2, schema/api_v1/_views/communities.sql.j2, schema/api_v1/_views/conversations.sql.j2, schema/api_v1/_views/departments.sql.j2, schema/api_v1/_views/documents.sql.j2, schema/api_v1/_views/institutions.sql.j2, schema/api_v1/_views/languages.sql.j2, schema/api_v1/_views/me.sql.j2, schema/api_v1/_views/messages.sql.j2, schema/api_v1/_views/my_roles.sql.j2, schema/api_v1/_views/my_sessions.sql.j2, schema/api_v1/_views/my_tenants.sql.j2, schema/api_v1/_views/organizations.sql.j2, schema/api_v1/_views/people.sql.j2, schema/api_v1/_views/prompts.sql.j2, schema/api_v1/_views/teams.sql.j2, schema/api_v1/_views/tenant_members.sql.j2, schema/api_v1/_views/videos.sql.j2, policies/api_v1.sql.j2
-- migrate:up

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
drop function api_v1.events(uuid, uuid, uuid, text, jsonb, timestamp with time zone, timestamp with time zone, uuid, integer);
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

-- 0018 access rules of the foundation
-- from: policies/core.sql.j2, policies/privacy.sql.j2, policies/ops.sql.j2, policies/audit.sql.j2, policies/iam.sql.j2
-- migrate:up

-- policies/core.sql.j2

grant usage on schema core to aigym_auditor;
grant usage on schema core to aigym_job;
grant usage on schema core to anon;
grant usage on schema core to authenticated;
grant usage on schema core to service_role;

grant select on core.column_catalog to aigym_auditor;
grant select on core.column_catalog to authenticated;
grant select on core.column_catalog to service_role;

grant select on core.data_catalog to aigym_auditor;
grant select on core.data_catalog to authenticated;
grant select on core.data_catalog to service_role;

grant select on core.integrity_rules to aigym_auditor;
grant select on core.integrity_rules to authenticated;
grant select on core.integrity_rules to service_role;

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

grant select on privacy.data_lifecycle_policies to authenticated;
grant select on privacy.data_lifecycle_policies to service_role;

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

create policy security_contexts_select_external_auditor on audit.security_contexts
  for select to aigym_auditor
  using (true);

grant select on audit.security_contexts to aigym_auditor;
grant select on audit.security_contexts to authenticated;
grant select on audit.security_contexts to service_role;

grant select on audit.audit_policies to aigym_auditor;
grant select on audit.audit_policies to authenticated;
grant select on audit.audit_policies to service_role;

grant select on audit.audit_triggers to aigym_auditor;
grant select on audit.audit_triggers to authenticated;
grant select on audit.audit_triggers to service_role;

grant select on audit.row_level_policies to aigym_auditor;
grant select on audit.row_level_policies to authenticated;
grant select on audit.row_level_policies to service_role;

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

grant select on iam.tenants to authenticated;
grant select, insert, update, delete on iam.tenants to service_role;

grant update (branding, description, display_name, name, require_mfa, settings, visibility) on iam.tenants to authenticated;

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

grant select on iam.communities to authenticated;
grant select, insert, update, delete on iam.communities to service_role;

grant update (join_policy, project_name, welcome_message) on iam.communities to authenticated;

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

grant select on iam.organizations to authenticated;
grant select, insert, update, delete on iam.organizations to service_role;

grant update (billing_email, industry, legal_name, logo_url) on iam.organizations to authenticated;

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

grant select on iam.institutions to authenticated;
grant select, insert, update, delete on iam.institutions to service_role;

grant update (contact_information, institution_type, npi, short_name) on iam.institutions to authenticated;

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

grant select, delete on iam.tenant_domains to authenticated;
grant select, insert, update, delete on iam.tenant_domains to service_role;

grant insert (auto_join, default_role_id, domain, tenant_id), update (auto_join, default_role_id, domain) on iam.tenant_domains to authenticated;

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

grant select on iam.units to authenticated;
grant select, insert, update, delete on iam.units to service_role;

grant insert (code, contact_information, department_type, description, is_billable_unit, kind, name, parent_id, tenant_id), update (code, contact_information, department_type, description, is_billable_unit, kind, name, parent_id) on iam.units to authenticated;

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

grant select, delete on iam.relationship_types to authenticated;
grant select, insert, update, delete on iam.relationship_types to service_role;

grant insert (can_manage_others, code, description, hierarchy_level, is_billable, name, requires_approval), update (can_manage_others, code, description, hierarchy_level, is_billable, name, requires_approval) on iam.relationship_types to authenticated;

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

grant select, delete on iam.unit_members to authenticated;
grant select, insert, update, delete on iam.unit_members to service_role;

grant insert (is_lead, is_primary, tenant_id, unit_id, user_id), update (is_lead, is_primary) on iam.unit_members to authenticated;

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

-- migrate:down

revoke select on iam.permission_grants from authenticated;
revoke select, insert, update, delete on iam.permission_grants from service_role;
drop policy permission_grants_select on iam.permission_grants;
drop policy permission_grants_session on iam.permission_grants;
revoke select on iam.user_roles from authenticated;
revoke select, insert, update, delete on iam.user_roles from service_role;
drop policy user_roles_select on iam.user_roles;
drop policy user_roles_session on iam.user_roles;
revoke select on iam.role_permissions from authenticated;
revoke select, insert, update, delete on iam.role_permissions from service_role;
drop policy role_permissions_select on iam.role_permissions;
drop policy role_permissions_session on iam.role_permissions;
revoke select on iam.permissions from authenticated;
revoke select, insert, update, delete on iam.permissions from service_role;
drop policy permissions_select on iam.permissions;
drop policy permissions_session on iam.permissions;
revoke select on iam.roles from authenticated;
revoke select, insert, update, delete on iam.roles from service_role;
drop policy roles_select on iam.roles;
drop policy roles_session on iam.roles;
revoke select on iam.invitations from authenticated;
revoke select, insert, update, delete on iam.invitations from service_role;
drop policy invitations_select on iam.invitations;
drop policy invitations_session on iam.invitations;
revoke insert (is_lead, is_primary, tenant_id, unit_id, user_id), update (is_lead, is_primary) on iam.unit_members from authenticated;
revoke select, delete on iam.unit_members from authenticated;
revoke select, insert, update, delete on iam.unit_members from service_role;
drop policy unit_members_delete on iam.unit_members;
drop policy unit_members_update on iam.unit_members;
drop policy unit_members_insert on iam.unit_members;
drop policy unit_members_select on iam.unit_members;
drop policy unit_members_session on iam.unit_members;
revoke select on iam.memberships from authenticated;
revoke select, insert, update, delete on iam.memberships from service_role;
drop policy memberships_select on iam.memberships;
drop policy memberships_session on iam.memberships;
revoke insert (can_manage_others, code, description, hierarchy_level, is_billable, name, requires_approval), update (can_manage_others, code, description, hierarchy_level, is_billable, name, requires_approval) on iam.relationship_types from authenticated;
revoke select, delete on iam.relationship_types from authenticated;
revoke select, insert, update, delete on iam.relationship_types from service_role;
drop policy relationship_types_delete on iam.relationship_types;
drop policy relationship_types_update on iam.relationship_types;
drop policy relationship_types_insert on iam.relationship_types;
drop policy relationship_types_select on iam.relationship_types;
drop policy relationship_types_session on iam.relationship_types;
revoke insert (code, contact_information, department_type, description, is_billable_unit, kind, name, parent_id, tenant_id), update (code, contact_information, department_type, description, is_billable_unit, kind, name, parent_id) on iam.units from authenticated;
revoke select on iam.units from authenticated;
revoke select, insert, update, delete on iam.units from service_role;
drop policy units_update on iam.units;
drop policy units_insert on iam.units;
drop policy units_select on iam.units;
drop policy units_session on iam.units;
revoke insert (auto_join, default_role_id, domain, tenant_id), update (auto_join, default_role_id, domain) on iam.tenant_domains from authenticated;
revoke select, delete on iam.tenant_domains from authenticated;
revoke select, insert, update, delete on iam.tenant_domains from service_role;
drop policy tenant_domains_delete on iam.tenant_domains;
drop policy tenant_domains_update on iam.tenant_domains;
drop policy tenant_domains_insert on iam.tenant_domains;
drop policy tenant_domains_select on iam.tenant_domains;
drop policy tenant_domains_session on iam.tenant_domains;
revoke update (contact_information, institution_type, npi, short_name) on iam.institutions from authenticated;
revoke select on iam.institutions from authenticated;
revoke select, insert, update, delete on iam.institutions from service_role;
drop policy institutions_update on iam.institutions;
drop policy institutions_select on iam.institutions;
drop policy institutions_session on iam.institutions;
revoke update (billing_email, industry, legal_name, logo_url) on iam.organizations from authenticated;
revoke select on iam.organizations from authenticated;
revoke select, insert, update, delete on iam.organizations from service_role;
drop policy organizations_update on iam.organizations;
drop policy organizations_select on iam.organizations;
drop policy organizations_session on iam.organizations;
revoke update (join_policy, project_name, welcome_message) on iam.communities from authenticated;
revoke select on iam.communities from authenticated;
revoke select, insert, update, delete on iam.communities from service_role;
drop policy communities_update on iam.communities;
drop policy communities_select on iam.communities;
drop policy communities_session on iam.communities;
revoke update (branding, description, display_name, name, require_mfa, settings, visibility) on iam.tenants from authenticated;
revoke select on iam.tenants from authenticated;
revoke select, insert, update, delete on iam.tenants from service_role;
drop policy tenants_update on iam.tenants;
drop policy tenants_select on iam.tenants;
drop policy tenants_session on iam.tenants;
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
revoke select on audit.row_level_policies from aigym_auditor;
revoke select on audit.row_level_policies from authenticated;
revoke select on audit.row_level_policies from service_role;
revoke select on audit.audit_triggers from aigym_auditor;
revoke select on audit.audit_triggers from authenticated;
revoke select on audit.audit_triggers from service_role;
revoke select on audit.audit_policies from aigym_auditor;
revoke select on audit.audit_policies from authenticated;
revoke select on audit.audit_policies from service_role;
revoke select on audit.security_contexts from aigym_auditor;
revoke select on audit.security_contexts from authenticated;
revoke select on audit.security_contexts from service_role;
drop policy security_contexts_select_external_auditor on audit.security_contexts;
drop policy security_contexts_select on audit.security_contexts;
drop policy security_contexts_session on audit.security_contexts;
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
revoke select on privacy.data_lifecycle_policies from authenticated;
revoke select on privacy.data_lifecycle_policies from service_role;
revoke select on privacy.data_archive_log from authenticated;
revoke select on privacy.data_archive_log from service_role;
drop policy data_archive_log_select on privacy.data_archive_log;
drop policy data_archive_log_session on privacy.data_archive_log;
revoke usage on schema privacy from authenticated;
revoke usage on schema privacy from service_role;
revoke select on core.integrity_rules from aigym_auditor;
revoke select on core.integrity_rules from authenticated;
revoke select on core.integrity_rules from service_role;
revoke select on core.data_catalog from aigym_auditor;
revoke select on core.data_catalog from authenticated;
revoke select on core.data_catalog from service_role;
revoke select on core.column_catalog from aigym_auditor;
revoke select on core.column_catalog from authenticated;
revoke select on core.column_catalog from service_role;
revoke usage on schema core from aigym_auditor;
revoke usage on schema core from aigym_job;
revoke usage on schema core from anon;
revoke usage on schema core from authenticated;
revoke usage on schema core from service_role;

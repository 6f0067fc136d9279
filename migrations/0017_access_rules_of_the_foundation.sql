-- 0017 access rules of the foundation
-- from: policies/core.sql.j2, policies/privacy.sql.j2, policies/ops.sql.j2, policies/audit.sql.j2, policies/iam.sql.j2
-- migrate:up

-- policies/core.sql.j2

grant usage on schema core to aigym_auditor;
grant usage on schema core to aigym_authz;
grant usage on schema core to anon;
grant usage on schema core to authenticated;
grant usage on schema core to service_role;

create policy data_catalog_session on core.data_catalog
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy data_catalog_select on core.data_catalog
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy data_catalog_insert on core.data_catalog
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy data_catalog_update on core.data_catalog
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy data_catalog_delete on core.data_catalog
  for delete to authenticated
  using ((select authz.is_super_admin()));

create policy data_catalog_select_external_auditor on core.data_catalog
  for select to aigym_auditor
  using (true);

grant select on core.data_catalog to aigym_auditor;
grant select, insert, update, delete on core.data_catalog to authenticated;
grant select, insert, update, delete on core.data_catalog to service_role;

create policy column_catalog_session on core.column_catalog
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy column_catalog_select on core.column_catalog
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy column_catalog_insert on core.column_catalog
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy column_catalog_update on core.column_catalog
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy column_catalog_delete on core.column_catalog
  for delete to authenticated
  using ((select authz.is_super_admin()));

create policy column_catalog_select_external_auditor on core.column_catalog
  for select to aigym_auditor
  using (true);

grant select on core.column_catalog to aigym_auditor;
grant select, insert, update, delete on core.column_catalog to authenticated;
grant select, insert, update, delete on core.column_catalog to service_role;

create policy integrity_rules_session on core.integrity_rules
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy integrity_rules_select on core.integrity_rules
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy integrity_rules_insert on core.integrity_rules
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy integrity_rules_update on core.integrity_rules
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy integrity_rules_delete on core.integrity_rules
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on core.integrity_rules to authenticated;
grant select, insert, update, delete on core.integrity_rules to service_role;

-- policies/privacy.sql.j2

grant usage on schema privacy to authenticated;
grant usage on schema privacy to service_role;

create policy data_lifecycle_policies_session on privacy.data_lifecycle_policies
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy data_lifecycle_policies_select on privacy.data_lifecycle_policies
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

grant select on privacy.data_lifecycle_policies to authenticated;
grant select, insert, update, delete on privacy.data_lifecycle_policies to service_role;

create policy retention_compliance_session on privacy.retention_compliance
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy retention_compliance_select on privacy.retention_compliance
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

grant select on privacy.retention_compliance to authenticated;
grant select, insert, update, delete on privacy.retention_compliance to service_role;

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
grant select, insert, update, delete on privacy.data_archive_log to service_role;

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

create policy partition_strategies_insert on ops.partition_strategies
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy partition_strategies_update on ops.partition_strategies
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy partition_strategies_delete on ops.partition_strategies
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on ops.partition_strategies to authenticated;
grant select, insert, update, delete on ops.partition_strategies to service_role;

create policy partition_metadata_session on ops.partition_metadata
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy partition_metadata_select on ops.partition_metadata
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy partition_metadata_insert on ops.partition_metadata
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy partition_metadata_update on ops.partition_metadata
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy partition_metadata_delete on ops.partition_metadata
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on ops.partition_metadata to authenticated;
grant select, insert, update, delete on ops.partition_metadata to service_role;

create policy job_runs_session on ops.job_runs
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy job_runs_select on ops.job_runs
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy job_runs_insert on ops.job_runs
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy job_runs_update on ops.job_runs
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy job_runs_delete on ops.job_runs
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on ops.job_runs to authenticated;
grant select, insert, update, delete on ops.job_runs to service_role;

-- policies/audit.sql.j2

grant usage on schema audit to aigym_auditor;
grant usage on schema audit to authenticated;
grant usage on schema audit to service_role;

-- The three logs and their seals: the service role inserts, no role updates or deletes.
create policy audit_log_session on audit.audit_log
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy audit_log_select on audit.audit_log
  for select to authenticated
  using (
    tenant_id = any (array(select authz.admin_tenant_ids()))
    or occurred_at > (select authz.logs_closed_until())
  );

create policy audit_log_select_external_auditor on audit.audit_log
  for select to aigym_auditor
  using (true);

grant select on audit.audit_log to aigym_auditor;
grant select on audit.audit_log to authenticated;
grant select, insert on audit.audit_log to service_role;

create policy security_audit_session on audit.security_audit
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy security_audit_select on audit.security_audit
  for select to authenticated
  using (
    user_id = (select auth.uid())
    or tenant_id = any (array(select authz.admin_tenant_ids()))
    or occurred_at > (select authz.logs_closed_until())
  );

create policy security_audit_select_external_auditor on audit.security_audit
  for select to aigym_auditor
  using (true);

grant select on audit.security_audit to aigym_auditor;
grant select on audit.security_audit to authenticated;
grant select, insert on audit.security_audit to service_role;

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
grant select, insert on audit.system_events to service_role;

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
grant select, insert on audit.seals to service_role;

create policy event_types_session on audit.event_types
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy event_types_select on audit.event_types
  for select to authenticated
  using (true);

create policy event_types_insert on audit.event_types
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy event_types_update on audit.event_types
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy event_types_delete on audit.event_types
  for delete to authenticated
  using ((select authz.is_super_admin()));

create policy event_types_select_external_auditor on audit.event_types
  for select to aigym_auditor
  using (true);

grant select on audit.event_types to aigym_auditor;
grant select, insert, update, delete on audit.event_types to authenticated;
grant select, insert, update, delete on audit.event_types to service_role;

-- Sessions and elevations.
create policy sessions_session on audit.sessions
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy sessions_select on audit.sessions
  for select to authenticated
  using (
    user_id = (select auth.uid())
    or started_at > (select authz.logs_closed_until())
  );

grant select on audit.sessions to authenticated;
grant select, insert, update, delete on audit.sessions to service_role;

create policy security_contexts_session on audit.security_contexts
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy security_contexts_select on audit.security_contexts
  for select to authenticated
  using (
    user_id = (select auth.uid())
    or started_at > (select authz.logs_closed_until())
  );

create policy security_contexts_select_external_auditor on audit.security_contexts
  for select to aigym_auditor
  using (true);

grant select on audit.security_contexts to aigym_auditor;
grant select on audit.security_contexts to authenticated;
grant select, insert on audit.security_contexts to service_role;

-- Declared policies and triggers, for comparison with the catalog.
create policy audit_policies_session on audit.audit_policies
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy audit_policies_select on audit.audit_policies
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy audit_policies_insert on audit.audit_policies
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy audit_policies_update on audit.audit_policies
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy audit_policies_delete on audit.audit_policies
  for delete to authenticated
  using ((select authz.is_super_admin()));

create policy audit_policies_select_external_auditor on audit.audit_policies
  for select to aigym_auditor
  using (true);

grant select on audit.audit_policies to aigym_auditor;
grant select, insert, update, delete on audit.audit_policies to authenticated;
grant select, insert, update, delete on audit.audit_policies to service_role;

create policy row_level_policies_session on audit.row_level_policies
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy row_level_policies_select on audit.row_level_policies
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy row_level_policies_insert on audit.row_level_policies
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy row_level_policies_update on audit.row_level_policies
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy row_level_policies_delete on audit.row_level_policies
  for delete to authenticated
  using ((select authz.is_super_admin()));

create policy row_level_policies_select_external_auditor on audit.row_level_policies
  for select to aigym_auditor
  using (true);

grant select on audit.row_level_policies to aigym_auditor;
grant select, insert, update, delete on audit.row_level_policies to authenticated;
grant select, insert, update, delete on audit.row_level_policies to service_role;

create policy audit_triggers_session on audit.audit_triggers
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy audit_triggers_select on audit.audit_triggers
  for select to authenticated
  using (
    (select authz.is_super_admin())
    or (select authz.is_auditor())
  );

create policy audit_triggers_insert on audit.audit_triggers
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy audit_triggers_update on audit.audit_triggers
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy audit_triggers_delete on audit.audit_triggers
  for delete to authenticated
  using ((select authz.is_super_admin()));

create policy audit_triggers_select_external_auditor on audit.audit_triggers
  for select to aigym_auditor
  using (true);

grant select on audit.audit_triggers to aigym_auditor;
grant select, insert, update, delete on audit.audit_triggers to authenticated;
grant select, insert, update, delete on audit.audit_triggers to service_role;

-- policies/iam.sql.j2

grant usage on schema iam to authenticated;
grant usage on schema iam to service_role;

-- People. Only the owner (auth.email()) and the service role read the mail address.
create policy profiles_session on iam.profiles
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy profiles_select on iam.profiles
  for select to authenticated
  using (
    id = (select auth.uid())
    or id = any (array(select authz.comember_ids()))
    or visibility = any (array(select authz.profile_visibilities()))
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

-- Tenants. Admins cannot update plan, region, status and parent.
create policy tenants_session on iam.tenants
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy tenants_select on iam.tenants
  for select to authenticated
  using (
    (
      id = any (array(select authz.tenant_ids()))
      or id = any (array(select authz.admin_tenant_ids()))
      or visibility = 'public'
    )
    and deleted_at is null
  );

create policy tenants_insert on iam.tenants
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy tenants_update on iam.tenants
  for update to authenticated
  using (id = any (array(select authz.admin_tenant_ids())) and deleted_at is null)
  with check (id = any (array(select authz.admin_tenant_ids())) and deleted_at is null);

grant select, insert on iam.tenants to authenticated;
grant select, insert, update, delete on iam.tenants to service_role;

grant update (branding, description, display_name, name, require_mfa, settings, visibility) on iam.tenants to authenticated;

create policy communities_session on iam.communities
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy communities_select on iam.communities
  for select to authenticated
  using (exists (select from iam.tenants as parent where parent.id = communities.id));

create policy communities_insert on iam.communities
  for insert to authenticated
  with check (id = any (array(select authz.admin_tenant_ids())));

create policy communities_update on iam.communities
  for update to authenticated
  using (id = any (array(select authz.admin_tenant_ids())))
  with check (id = any (array(select authz.admin_tenant_ids())));

create policy communities_delete on iam.communities
  for delete to authenticated
  using (id = any (array(select authz.admin_tenant_ids())));

grant select, insert, update, delete on iam.communities to authenticated;
grant select, insert, update, delete on iam.communities to service_role;

create policy organizations_session on iam.organizations
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy organizations_select on iam.organizations
  for select to authenticated
  using (exists (select from iam.tenants as parent where parent.id = organizations.id));

create policy organizations_insert on iam.organizations
  for insert to authenticated
  with check (id = any (array(select authz.admin_tenant_ids())));

create policy organizations_update on iam.organizations
  for update to authenticated
  using (id = any (array(select authz.admin_tenant_ids())))
  with check (id = any (array(select authz.admin_tenant_ids())));

create policy organizations_delete on iam.organizations
  for delete to authenticated
  using (id = any (array(select authz.admin_tenant_ids())));

grant select, insert, update, delete on iam.organizations to authenticated;
grant select, insert, update, delete on iam.organizations to service_role;

create policy institutions_session on iam.institutions
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy institutions_select on iam.institutions
  for select to authenticated
  using (exists (select from iam.tenants as parent where parent.id = institutions.id));

create policy institutions_insert on iam.institutions
  for insert to authenticated
  with check (id = any (array(select authz.admin_tenant_ids())));

create policy institutions_update on iam.institutions
  for update to authenticated
  using (id = any (array(select authz.admin_tenant_ids())))
  with check (id = any (array(select authz.admin_tenant_ids())));

create policy institutions_delete on iam.institutions
  for delete to authenticated
  using (id = any (array(select authz.admin_tenant_ids())));

grant select, insert, update, delete on iam.institutions to authenticated;
grant select, insert, update, delete on iam.institutions to service_role;

create policy tenant_domains_session on iam.tenant_domains
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy tenant_domains_select on iam.tenant_domains
  for select to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy tenant_domains_insert on iam.tenant_domains
  for insert to authenticated
  with check (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy tenant_domains_update on iam.tenant_domains
  for update to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())))
  with check (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy tenant_domains_delete on iam.tenant_domains
  for delete to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())));

grant select, insert, update, delete on iam.tenant_domains to authenticated;
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
  with check (tenant_id = any (array(select authz.admin_tenant_ids())) and deleted_at is null);

create policy units_update on iam.units
  for update to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())) and deleted_at is null)
  with check (tenant_id = any (array(select authz.admin_tenant_ids())) and deleted_at is null);

grant select, insert, update on iam.units to authenticated;
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

grant select, insert, update, delete on iam.relationship_types to authenticated;
grant select, insert, update, delete on iam.relationship_types to service_role;

create policy memberships_session on iam.memberships
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy memberships_select on iam.memberships
  for select to authenticated
  using (
    user_id = (select auth.uid())
    or tenant_id = any (array(select authz.admin_tenant_ids()))
    or (status = 'active' and tenant_id = any (array(select authz.tenant_ids())))
  );

create policy memberships_insert on iam.memberships
  for insert to authenticated
  with check (tenant_id = any (array(select authz.admin_tenant_ids())) and user_id <> (select auth.uid()));

create policy memberships_update on iam.memberships
  for update to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())) and user_id <> (select auth.uid()))
  with check (tenant_id = any (array(select authz.admin_tenant_ids())) and user_id <> (select auth.uid()));

grant select, insert on iam.memberships to authenticated;
grant select, insert, update, delete on iam.memberships to service_role;

grant update (approved_at, approved_by, ended_at, relationship_type_id, status) on iam.memberships to authenticated;

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
  with check (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy unit_members_update on iam.unit_members
  for update to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())))
  with check (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy unit_members_delete on iam.unit_members
  for delete to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())));

grant select, insert, update, delete on iam.unit_members to authenticated;
grant select, insert, update, delete on iam.unit_members to service_role;

create policy invitations_session on iam.invitations
  as restrictive for all to authenticated
  using ((select authz.session_ok('always')));

create policy invitations_select on iam.invitations
  for select to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy invitations_insert on iam.invitations
  for insert to authenticated
  with check (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy invitations_update on iam.invitations
  for update to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())))
  with check (tenant_id = any (array(select authz.admin_tenant_ids())));

create policy invitations_delete on iam.invitations
  for delete to authenticated
  using (tenant_id = any (array(select authz.admin_tenant_ids())));

grant select, insert, update, delete on iam.invitations to authenticated;
grant select, insert, update, delete on iam.invitations to service_role;

-- Roles and permissions.
create policy roles_session on iam.roles
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy roles_select on iam.roles
  for select to authenticated
  using (deleted_at is null);

create policy roles_insert on iam.roles
  for insert to authenticated
  with check ((select authz.is_super_admin()) and deleted_at is null);

create policy roles_update on iam.roles
  for update to authenticated
  using ((select authz.is_super_admin()) and deleted_at is null)
  with check ((select authz.is_super_admin()) and deleted_at is null);

grant select, insert, update on iam.roles to authenticated;
grant select, insert, update, delete on iam.roles to service_role;

create policy permissions_session on iam.permissions
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy permissions_select on iam.permissions
  for select to authenticated
  using (true);

create policy permissions_insert on iam.permissions
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy permissions_update on iam.permissions
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy permissions_delete on iam.permissions
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on iam.permissions to authenticated;
grant select, insert, update, delete on iam.permissions to service_role;

create policy role_permissions_session on iam.role_permissions
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy role_permissions_select on iam.role_permissions
  for select to authenticated
  using (true);

create policy role_permissions_insert on iam.role_permissions
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy role_permissions_update on iam.role_permissions
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy role_permissions_delete on iam.role_permissions
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on iam.role_permissions to authenticated;
grant select, insert, update, delete on iam.role_permissions to service_role;

create policy user_roles_session on iam.user_roles
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy user_roles_select on iam.user_roles
  for select to authenticated
  using (
    user_id = (select auth.uid())
    or tenant_id = any (array(select authz.reviewable_tenant_ids()))
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
    or tenant_id = any (array(select authz.reviewable_tenant_ids()))
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
revoke select, insert, update, delete on iam.role_permissions from authenticated;
revoke select, insert, update, delete on iam.role_permissions from service_role;
drop policy role_permissions_delete on iam.role_permissions;
drop policy role_permissions_update on iam.role_permissions;
drop policy role_permissions_insert on iam.role_permissions;
drop policy role_permissions_select on iam.role_permissions;
drop policy role_permissions_session on iam.role_permissions;
revoke select, insert, update, delete on iam.permissions from authenticated;
revoke select, insert, update, delete on iam.permissions from service_role;
drop policy permissions_delete on iam.permissions;
drop policy permissions_update on iam.permissions;
drop policy permissions_insert on iam.permissions;
drop policy permissions_select on iam.permissions;
drop policy permissions_session on iam.permissions;
revoke select, insert, update on iam.roles from authenticated;
revoke select, insert, update, delete on iam.roles from service_role;
drop policy roles_update on iam.roles;
drop policy roles_insert on iam.roles;
drop policy roles_select on iam.roles;
drop policy roles_session on iam.roles;
revoke select, insert, update, delete on iam.invitations from authenticated;
revoke select, insert, update, delete on iam.invitations from service_role;
drop policy invitations_delete on iam.invitations;
drop policy invitations_update on iam.invitations;
drop policy invitations_insert on iam.invitations;
drop policy invitations_select on iam.invitations;
drop policy invitations_session on iam.invitations;
revoke select, insert, update, delete on iam.unit_members from authenticated;
revoke select, insert, update, delete on iam.unit_members from service_role;
drop policy unit_members_delete on iam.unit_members;
drop policy unit_members_update on iam.unit_members;
drop policy unit_members_insert on iam.unit_members;
drop policy unit_members_select on iam.unit_members;
drop policy unit_members_session on iam.unit_members;
revoke update (approved_at, approved_by, ended_at, relationship_type_id, status) on iam.memberships from authenticated;
revoke select, insert on iam.memberships from authenticated;
revoke select, insert, update, delete on iam.memberships from service_role;
drop policy memberships_update on iam.memberships;
drop policy memberships_insert on iam.memberships;
drop policy memberships_select on iam.memberships;
drop policy memberships_session on iam.memberships;
revoke select, insert, update, delete on iam.relationship_types from authenticated;
revoke select, insert, update, delete on iam.relationship_types from service_role;
drop policy relationship_types_delete on iam.relationship_types;
drop policy relationship_types_update on iam.relationship_types;
drop policy relationship_types_insert on iam.relationship_types;
drop policy relationship_types_select on iam.relationship_types;
drop policy relationship_types_session on iam.relationship_types;
revoke select, insert, update on iam.units from authenticated;
revoke select, insert, update, delete on iam.units from service_role;
drop policy units_update on iam.units;
drop policy units_insert on iam.units;
drop policy units_select on iam.units;
drop policy units_session on iam.units;
revoke select, insert, update, delete on iam.tenant_domains from authenticated;
revoke select, insert, update, delete on iam.tenant_domains from service_role;
drop policy tenant_domains_delete on iam.tenant_domains;
drop policy tenant_domains_update on iam.tenant_domains;
drop policy tenant_domains_insert on iam.tenant_domains;
drop policy tenant_domains_select on iam.tenant_domains;
drop policy tenant_domains_session on iam.tenant_domains;
revoke select, insert, update, delete on iam.institutions from authenticated;
revoke select, insert, update, delete on iam.institutions from service_role;
drop policy institutions_delete on iam.institutions;
drop policy institutions_update on iam.institutions;
drop policy institutions_insert on iam.institutions;
drop policy institutions_select on iam.institutions;
drop policy institutions_session on iam.institutions;
revoke select, insert, update, delete on iam.organizations from authenticated;
revoke select, insert, update, delete on iam.organizations from service_role;
drop policy organizations_delete on iam.organizations;
drop policy organizations_update on iam.organizations;
drop policy organizations_insert on iam.organizations;
drop policy organizations_select on iam.organizations;
drop policy organizations_session on iam.organizations;
revoke select, insert, update, delete on iam.communities from authenticated;
revoke select, insert, update, delete on iam.communities from service_role;
drop policy communities_delete on iam.communities;
drop policy communities_update on iam.communities;
drop policy communities_insert on iam.communities;
drop policy communities_select on iam.communities;
drop policy communities_session on iam.communities;
revoke update (branding, description, display_name, name, require_mfa, settings, visibility) on iam.tenants from authenticated;
revoke select, insert on iam.tenants from authenticated;
revoke select, insert, update, delete on iam.tenants from service_role;
drop policy tenants_update on iam.tenants;
drop policy tenants_insert on iam.tenants;
drop policy tenants_select on iam.tenants;
drop policy tenants_session on iam.tenants;
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
revoke usage on schema iam from authenticated;
revoke usage on schema iam from service_role;
revoke select on audit.audit_triggers from aigym_auditor;
revoke select, insert, update, delete on audit.audit_triggers from authenticated;
revoke select, insert, update, delete on audit.audit_triggers from service_role;
drop policy audit_triggers_select_external_auditor on audit.audit_triggers;
drop policy audit_triggers_delete on audit.audit_triggers;
drop policy audit_triggers_update on audit.audit_triggers;
drop policy audit_triggers_insert on audit.audit_triggers;
drop policy audit_triggers_select on audit.audit_triggers;
drop policy audit_triggers_session on audit.audit_triggers;
revoke select on audit.row_level_policies from aigym_auditor;
revoke select, insert, update, delete on audit.row_level_policies from authenticated;
revoke select, insert, update, delete on audit.row_level_policies from service_role;
drop policy row_level_policies_select_external_auditor on audit.row_level_policies;
drop policy row_level_policies_delete on audit.row_level_policies;
drop policy row_level_policies_update on audit.row_level_policies;
drop policy row_level_policies_insert on audit.row_level_policies;
drop policy row_level_policies_select on audit.row_level_policies;
drop policy row_level_policies_session on audit.row_level_policies;
revoke select on audit.audit_policies from aigym_auditor;
revoke select, insert, update, delete on audit.audit_policies from authenticated;
revoke select, insert, update, delete on audit.audit_policies from service_role;
drop policy audit_policies_select_external_auditor on audit.audit_policies;
drop policy audit_policies_delete on audit.audit_policies;
drop policy audit_policies_update on audit.audit_policies;
drop policy audit_policies_insert on audit.audit_policies;
drop policy audit_policies_select on audit.audit_policies;
drop policy audit_policies_session on audit.audit_policies;
revoke select on audit.security_contexts from aigym_auditor;
revoke select on audit.security_contexts from authenticated;
revoke select, insert on audit.security_contexts from service_role;
drop policy security_contexts_select_external_auditor on audit.security_contexts;
drop policy security_contexts_select on audit.security_contexts;
drop policy security_contexts_session on audit.security_contexts;
revoke select on audit.sessions from authenticated;
revoke select, insert, update, delete on audit.sessions from service_role;
drop policy sessions_select on audit.sessions;
drop policy sessions_session on audit.sessions;
revoke select on audit.event_types from aigym_auditor;
revoke select, insert, update, delete on audit.event_types from authenticated;
revoke select, insert, update, delete on audit.event_types from service_role;
drop policy event_types_select_external_auditor on audit.event_types;
drop policy event_types_delete on audit.event_types;
drop policy event_types_update on audit.event_types;
drop policy event_types_insert on audit.event_types;
drop policy event_types_select on audit.event_types;
drop policy event_types_session on audit.event_types;
revoke select on audit.seals from aigym_auditor;
revoke select on audit.seals from authenticated;
revoke select, insert on audit.seals from service_role;
drop policy seals_select_external_auditor on audit.seals;
drop policy seals_select on audit.seals;
drop policy seals_session on audit.seals;
revoke select on audit.system_events from aigym_auditor;
revoke select on audit.system_events from authenticated;
revoke select, insert on audit.system_events from service_role;
drop policy system_events_select_external_auditor on audit.system_events;
drop policy system_events_select on audit.system_events;
drop policy system_events_session on audit.system_events;
revoke select on audit.security_audit from aigym_auditor;
revoke select on audit.security_audit from authenticated;
revoke select, insert on audit.security_audit from service_role;
drop policy security_audit_select_external_auditor on audit.security_audit;
drop policy security_audit_select on audit.security_audit;
drop policy security_audit_session on audit.security_audit;
revoke select on audit.audit_log from aigym_auditor;
revoke select on audit.audit_log from authenticated;
revoke select, insert on audit.audit_log from service_role;
drop policy audit_log_select_external_auditor on audit.audit_log;
drop policy audit_log_select on audit.audit_log;
drop policy audit_log_session on audit.audit_log;
revoke usage on schema audit from aigym_auditor;
revoke usage on schema audit from authenticated;
revoke usage on schema audit from service_role;
revoke select, insert, update, delete on ops.job_runs from authenticated;
revoke select, insert, update, delete on ops.job_runs from service_role;
drop policy job_runs_delete on ops.job_runs;
drop policy job_runs_update on ops.job_runs;
drop policy job_runs_insert on ops.job_runs;
drop policy job_runs_select on ops.job_runs;
drop policy job_runs_session on ops.job_runs;
revoke select, insert, update, delete on ops.partition_metadata from authenticated;
revoke select, insert, update, delete on ops.partition_metadata from service_role;
drop policy partition_metadata_delete on ops.partition_metadata;
drop policy partition_metadata_update on ops.partition_metadata;
drop policy partition_metadata_insert on ops.partition_metadata;
drop policy partition_metadata_select on ops.partition_metadata;
drop policy partition_metadata_session on ops.partition_metadata;
revoke select, insert, update, delete on ops.partition_strategies from authenticated;
revoke select, insert, update, delete on ops.partition_strategies from service_role;
drop policy partition_strategies_delete on ops.partition_strategies;
drop policy partition_strategies_update on ops.partition_strategies;
drop policy partition_strategies_insert on ops.partition_strategies;
drop policy partition_strategies_select on ops.partition_strategies;
drop policy partition_strategies_session on ops.partition_strategies;
revoke usage on schema ops from authenticated;
revoke usage on schema ops from service_role;
revoke select on privacy.data_archive_log from authenticated;
revoke select, insert, update, delete on privacy.data_archive_log from service_role;
drop policy data_archive_log_select on privacy.data_archive_log;
drop policy data_archive_log_session on privacy.data_archive_log;
revoke select on privacy.retention_compliance from authenticated;
revoke select, insert, update, delete on privacy.retention_compliance from service_role;
drop policy retention_compliance_select on privacy.retention_compliance;
drop policy retention_compliance_session on privacy.retention_compliance;
revoke select on privacy.data_lifecycle_policies from authenticated;
revoke select, insert, update, delete on privacy.data_lifecycle_policies from service_role;
drop policy data_lifecycle_policies_select on privacy.data_lifecycle_policies;
drop policy data_lifecycle_policies_session on privacy.data_lifecycle_policies;
revoke usage on schema privacy from authenticated;
revoke usage on schema privacy from service_role;
revoke select, insert, update, delete on core.integrity_rules from authenticated;
revoke select, insert, update, delete on core.integrity_rules from service_role;
drop policy integrity_rules_delete on core.integrity_rules;
drop policy integrity_rules_update on core.integrity_rules;
drop policy integrity_rules_insert on core.integrity_rules;
drop policy integrity_rules_select on core.integrity_rules;
drop policy integrity_rules_session on core.integrity_rules;
revoke select on core.column_catalog from aigym_auditor;
revoke select, insert, update, delete on core.column_catalog from authenticated;
revoke select, insert, update, delete on core.column_catalog from service_role;
drop policy column_catalog_select_external_auditor on core.column_catalog;
drop policy column_catalog_delete on core.column_catalog;
drop policy column_catalog_update on core.column_catalog;
drop policy column_catalog_insert on core.column_catalog;
drop policy column_catalog_select on core.column_catalog;
drop policy column_catalog_session on core.column_catalog;
revoke select on core.data_catalog from aigym_auditor;
revoke select, insert, update, delete on core.data_catalog from authenticated;
revoke select, insert, update, delete on core.data_catalog from service_role;
drop policy data_catalog_select_external_auditor on core.data_catalog;
drop policy data_catalog_delete on core.data_catalog;
drop policy data_catalog_update on core.data_catalog;
drop policy data_catalog_insert on core.data_catalog;
drop policy data_catalog_select on core.data_catalog;
drop policy data_catalog_session on core.data_catalog;
revoke usage on schema core from aigym_auditor;
revoke usage on schema core from aigym_authz;
revoke usage on schema core from anon;
revoke usage on schema core from authenticated;
revoke usage on schema core from service_role;

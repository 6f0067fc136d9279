-- 0012 iam tenants
-- from: schema/iam/tenants.sql.j2, schema/iam/communities.sql.j2, schema/iam/institutions.sql.j2, schema/iam/organizations.sql.j2, schema/iam/units.sql.j2
-- migrate:up

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

-- migrate:down

drop table
  iam.units,
  iam.organizations,
  iam.institutions,
  iam.communities,
  iam.tenants;

-- 0013 iam rbac
-- from: schema/iam/permissions.sql.j2, schema/iam/roles.sql.j2, schema/iam/role_permissions.sql.j2
-- migrate:up

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

-- migrate:down

drop table
  iam.role_permissions,
  iam.roles,
  iam.permissions;

-- 0014 iam membership
-- from: schema/iam/relationship_types.sql.j2, schema/iam/invitations.sql.j2, schema/iam/permission_grants.sql.j2, schema/iam/_functions/end_membership.sql.j2, schema/iam/_functions/end_role.sql.j2, schema/iam/_functions/guard_domain_verification.sql.j2, schema/iam/tenant_domains.sql.j2, schema/iam/_functions/limit_members.sql.j2, schema/iam/memberships.sql.j2, schema/iam/unit_members.sql.j2, schema/iam/user_roles.sql.j2, schema/iam/_functions/revoke_invitations_of.sql.j2
-- migrate:up

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

-- migrate:down

drop table
  iam.user_roles,
  iam.unit_members,
  iam.memberships,
  iam.tenant_domains,
  iam.permission_grants,
  iam.invitations,
  iam.relationship_types;

drop function iam.revoke_invitations_of(uuid, uuid);
drop function iam.limit_members();
drop function iam.guard_domain_verification();
drop function iam.end_role();
drop function iam.end_membership();

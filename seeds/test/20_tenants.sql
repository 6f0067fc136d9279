-- Tenants: b001 A, b003 A east below it (requires a second factor), b006 and b007 below it for the other two kinds;
-- b002 B, b008 and b009 below it; b004 deleted, with an active member; b010 deleted, below A; b005 public, without members;
-- b011 suspended, with a member and an admin, b012 below it; b013 closing.
insert into iam.tenants (id, kind, slug, name, parent_id, status, visibility, require_mfa, deleted_at)
values
  ('00000000-0000-4000-8000-00000000b001', 'community', 'world-a', 'World A', null, 'active', 'private', false, null),
  ('00000000-0000-4000-8000-00000000b002', 'organization', 'world-b', 'World B', null, 'active', 'private', false, null),
  (
    '00000000-0000-4000-8000-00000000b003', 'community', 'world-a-east', 'World A East',
    '00000000-0000-4000-8000-00000000b001', 'active', 'private', true, null
  ),
  (
    '00000000-0000-4000-8000-00000000b004', 'community', 'world-a-gone', 'World A Gone', null, 'closing', 'private', false,
    '2026-01-06 08:00:00+00'
  ),
  (
    '00000000-0000-4000-8000-00000000b010', 'community', 'world-a-west', 'World A West',
    '00000000-0000-4000-8000-00000000b001', 'closing', 'private', false, '2026-01-06 08:00:00+00'
  ),
  ('00000000-0000-4000-8000-00000000b005', 'institution', 'open-house', 'Open House', null, 'active', 'public', false, null),
  (
    '00000000-0000-4000-8000-00000000b006', 'institution', 'world-a-clinic', 'World A Clinic',
    '00000000-0000-4000-8000-00000000b001', 'trial', 'private', false, null
  ),
  (
    '00000000-0000-4000-8000-00000000b007', 'organization', 'world-a-office', 'World A Office',
    '00000000-0000-4000-8000-00000000b001', 'trial', 'private', false, null
  ),
  (
    '00000000-0000-4000-8000-00000000b008', 'community', 'world-b-club', 'World B Club',
    '00000000-0000-4000-8000-00000000b002', 'trial', 'private', false, null
  ),
  (
    '00000000-0000-4000-8000-00000000b009', 'institution', 'world-b-gym', 'World B Gym',
    '00000000-0000-4000-8000-00000000b002', 'trial', 'private', false, null
  );

insert into iam.communities (id, project_name)
values
  ('00000000-0000-4000-8000-00000000b001', 'Project A'),
  ('00000000-0000-4000-8000-00000000b003', 'Project A East'),
  ('00000000-0000-4000-8000-00000000b004', 'Project A Gone'),
  ('00000000-0000-4000-8000-00000000b010', 'Project A West'),
  ('00000000-0000-4000-8000-00000000b008', 'Project B Club');

insert into iam.organizations (id, legal_name)
values
  ('00000000-0000-4000-8000-00000000b002', 'World B Ltd'),
  ('00000000-0000-4000-8000-00000000b007', 'World A Office Ltd');

insert into iam.institutions (id, institution_type)
values
  ('00000000-0000-4000-8000-00000000b005', 'school'),
  ('00000000-0000-4000-8000-00000000b006', 'clinic'),
  ('00000000-0000-4000-8000-00000000b009', 'gym');

insert into iam.units (id, tenant_id, kind, name, code, parent_id, deleted_at)
values
  (
    '00000000-0000-4000-8000-00000000c001', '00000000-0000-4000-8000-00000000b001', 'department', 'Unit A', 'UA', null, null
  ),
  (
    '00000000-0000-4000-8000-00000000c002', '00000000-0000-4000-8000-00000000b001', 'team', 'Unit A Team', 'UAT',
    '00000000-0000-4000-8000-00000000c001', null
  ),
  (
    '00000000-0000-4000-8000-00000000c003', '00000000-0000-4000-8000-00000000b001', 'team', 'Unit A Gone', null, null,
    '2026-01-06 08:00:00+00'
  ),
  (
    '00000000-0000-4000-8000-00000000c004', '00000000-0000-4000-8000-00000000b003', 'team', 'Unit A East', null, null, null
  ),
  (
    '00000000-0000-4000-8000-00000000c005', '00000000-0000-4000-8000-00000000b004', 'team', 'Unit of the deleted tenant',
    null, null, null
  ),
  (
    '00000000-0000-4000-8000-00000000c006', '00000000-0000-4000-8000-00000000b010', 'team', 'Unit of the deleted sub-tenant',
    null, null, null
  ),
  (
    '00000000-0000-4000-8000-00000000c011', '00000000-0000-4000-8000-00000000b002', 'department', 'Unit B', 'UB', null, null
  ),
  (
    '00000000-0000-4000-8000-00000000c012', '00000000-0000-4000-8000-00000000b002', 'team', 'Unit B Gone', null, null,
    '2026-01-06 08:00:00+00'
  );

insert into iam.tenant_domains (id, tenant_id, domain, verification_token, verified_at, auto_join, default_role_id)
select
  claim.id::uuid, claim.tenant_id::uuid, claim.domain, claim.token, claim.verified_at::timestamptz, claim.auto_join, r.id
from (
  values
    (
      '00000000-0000-4000-8000-000000d0b001', '00000000-0000-4000-8000-00000000b001', 'a.example.test', 'token-a',
      '2026-01-05 08:00:00+00', true
    ),
    (
      '00000000-0000-4000-8000-000000d0b003', '00000000-0000-4000-8000-00000000b003', 'east.example.test', 'token-east',
      null, false
    ),
    (
      '00000000-0000-4000-8000-000000d0b002', '00000000-0000-4000-8000-00000000b002', 'b.example.test', 'token-b',
      '2026-01-05 08:00:00+00', true
    )
) as claim (id, tenant_id, domain, token, verified_at, auto_join)
join iam.roles as r on r.code = 'member';

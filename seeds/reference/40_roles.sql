-- The roles, each in one of three tiers. The policies test the tier and permissions.
insert into iam.roles as held (id, code, tier, role_type, name, description, is_system, is_assignable, requires_approval)
values
  (
    '00000000-0000-4000-9000-000400000001', 'super_admin', 'super_admin', 'admin', 'Super admin',
    'Runs the platform. Reads personal content only during an elevation.', true, true, true
  ),
  (
    '00000000-0000-4000-9000-000400000002', 'auditor', 'end_user', 'auditor', 'Auditor',
    'Reads logs and declarations of the whole platform.', true, true, true
  ),
  (
    '00000000-0000-4000-9000-000400000003', 'system', 'end_user', 'system', 'System',
    'Marks what machines do; given to no person.', true, false, false
  ),
  (
    '00000000-0000-4000-9000-000400000004', 'owner', 'community_admin', 'owner', 'Owner',
    'Founded the tenant.', true, true, true
  ),
  (
    '00000000-0000-4000-9000-000400000005', 'community_admin', 'community_admin', 'admin', 'Community admin',
    'Runs a tenant and everything below it.', true, true, true
  ),
  (
    '00000000-0000-4000-9000-000400000006', 'manager', 'end_user', 'manager', 'Manager',
    'Reviews and assigns content.', true, true, false
  ),
  (
    '00000000-0000-4000-9000-000400000007', 'content_editor', 'end_user', 'content_creator', 'Content editor',
    'Edits and publishes all content.', true, true, false
  ),
  (
    '00000000-0000-4000-9000-000400000008', 'content_creator', 'end_user', 'content_creator', 'Content creator',
    'Writes content, publishes none.', true, true, false
  ),
  (
    '00000000-0000-4000-9000-000400000009', 'coach', 'end_user', 'coach', 'Coach',
    'Looks after clients who agreed.', true, true, true
  ),
  (
    '00000000-0000-4000-9000-000400000010', 'trainer', 'end_user', 'trainer', 'Trainer',
    'Writes exercises, workouts and programs.', true, true, true
  ),
  (
    '00000000-0000-4000-9000-000400000011', 'physiotherapist', 'end_user', 'physiotherapist', 'Physiotherapist',
    'Like a trainer, for patients.', true, true, true
  ),
  (
    '00000000-0000-4000-9000-000400000012', 'member', 'end_user', 'member', 'Member',
    'Uses what the tenant offers.', true, true, false
  ),
  (
    '00000000-0000-4000-9000-000400000013', 'customer', 'end_user', 'customer', 'Customer',
    'Uses what was paid for.', true, true, false
  ),
  (
    '00000000-0000-4000-9000-000400000014', 'guest', 'end_user', 'guest', 'Guest',
    'Looks around.', true, true, false
  )
on conflict (code) do update
set
  tier = excluded.tier,
  role_type = excluded.role_type,
  name = excluded.name,
  description = excluded.description,
  is_system = excluded.is_system,
  is_assignable = excluded.is_assignable,
  requires_approval = excluded.requires_approval
where (
    held.tier, held.role_type, held.name, held.description, held.is_system, held.is_assignable, held.requires_approval
  ) is distinct from (
    excluded.tier, excluded.role_type, excluded.name, excluded.description, excluded.is_system, excluded.is_assignable,
    excluded.requires_approval
  );

-- Two communities, one with a community below it.
insert into iam.tenants (id, kind, slug, name, description, parent_id, status, visibility)
values
  (
    '00000000-0000-4000-b000-000200000001', 'community', 'northside', 'Northside', 'Learning together, every weekday.',
    null, 'active', 'private'
  ),
  (
    '00000000-0000-4000-b000-000200000002', 'community', 'northside-beginners', 'Northside Beginners', 'The first month.',
    '00000000-0000-4000-b000-000200000001', 'active', 'private'
  ),
  (
    '00000000-0000-4000-b000-000200000003', 'community', 'harbour', 'Harbour', 'Open to visitors.',
    null, 'active', 'public'
  )
on conflict (id) do nothing;

insert into iam.communities (id, project_name, join_policy)
values
  ('00000000-0000-4000-b000-000200000001', 'Northside', 'invite'),
  ('00000000-0000-4000-b000-000200000002', 'Northside Beginners', 'request'),
  ('00000000-0000-4000-b000-000200000003', 'Harbour', 'open')
on conflict (id) do nothing;

insert into iam.units (id, tenant_id, kind, name, parent_id)
values
  (
    '00000000-0000-4000-b000-000210000001', '00000000-0000-4000-b000-000200000001', 'department', 'Content', null
  ),
  (
    '00000000-0000-4000-b000-000210000002', '00000000-0000-4000-b000-000200000001', 'team', 'Video',
    '00000000-0000-4000-b000-000210000001'
  ),
  (
    '00000000-0000-4000-b000-000210000003', '00000000-0000-4000-b000-000200000003', 'team', 'Morning group', null
  )
on conflict (id) do nothing;

-- Tenant 1 Northside, 2 Northside Beginners, 3 Harbour; platform-wide without tenant.
insert into iam.memberships (id, tenant_id, user_id, relationship_type_id, joined_at)
select
  ('00000000-0000-4000-b000-0003' || lpad(person.number::text, 8, '0'))::uuid,
  ('00000000-0000-4000-b000-00020000000' || person.tenant)::uuid,
  ('00000000-0000-4000-b000-0001' || lpad(person.number::text, 8, '0'))::uuid,
  t.id,
  '2026-01-01 09:00:00+00'
from (
  values
    (11, 1), (12, 1), (13, 1), (14, 1), (15, 1), (16, 1), (17, 1), (18, 1), (19, 1), (20, 1),
    (21, 2), (22, 2), (23, 2),
    (31, 3), (32, 3), (33, 3), (34, 3), (35, 3), (36, 3), (37, 3)
) as person (number, tenant)
join iam.relationship_types as t on t.code = 'member'
on conflict (id) do nothing;

insert into iam.user_roles (id, user_id, role_id, tenant_id, granted_at, reason)
select
  ('00000000-0000-4000-b000-0004' || lpad(person.number::text, 8, '0'))::uuid,
  ('00000000-0000-4000-b000-0001' || lpad(person.number::text, 8, '0'))::uuid,
  r.id,
  ('00000000-0000-4000-b000-00020000000' || person.tenant)::uuid,
  '2026-01-01 09:00:00+00',
  'development data'
from (
  values
    (1, null, 'super_admin'), (2, null, 'auditor'),
    (11, 1, 'community_admin'), (12, 1, 'content_editor'), (13, 1, 'content_creator'), (14, 1, 'content_creator'),
    (15, 1, 'coach'), (16, 1, 'member'), (17, 1, 'member'), (18, 1, 'member'), (19, 1, 'member'), (20, 1, 'guest'),
    (21, 2, 'community_admin'), (22, 2, 'member'), (23, 2, 'member'),
    (31, 3, 'owner'), (32, 3, 'content_editor'), (33, 3, 'coach'), (34, 3, 'member'), (35, 3, 'member'), (36, 3, 'customer'),
    (37, 3, 'guest')
) as person (number, tenant, role_code)
join iam.roles as r on r.code = person.role_code
on conflict (id) do nothing;

insert into iam.unit_members (tenant_id, unit_id, user_id, is_primary, is_lead)
values
  (
    '00000000-0000-4000-b000-000200000001', '00000000-0000-4000-b000-000210000001', '00000000-0000-4000-b000-000100000012',
    true, true
  ),
  (
    '00000000-0000-4000-b000-000200000001', '00000000-0000-4000-b000-000210000002', '00000000-0000-4000-b000-000100000013',
    true, false
  ),
  (
    '00000000-0000-4000-b000-000200000003', '00000000-0000-4000-b000-000210000003', '00000000-0000-4000-b000-000100000034',
    true, false
  )
on conflict (unit_id, user_id) do nothing;

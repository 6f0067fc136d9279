-- The kinds of membership.
insert into iam.relationship_types as held (
  id, code, name, requires_approval, is_billable, can_manage_others, hierarchy_level
)
values
  ('00000000-0000-4000-9000-000300000001', 'member', 'Member', false, true, false, 1),
  ('00000000-0000-4000-9000-000300000002', 'employee', 'Employee', true, true, false, 3),
  ('00000000-0000-4000-9000-000300000003', 'contractor', 'Contractor', true, true, false, 2),
  ('00000000-0000-4000-9000-000300000004', 'manager', 'Manager', true, true, true, 6),
  ('00000000-0000-4000-9000-000300000005', 'coach', 'Coach', true, true, true, 5),
  ('00000000-0000-4000-9000-000300000006', 'client', 'Client', false, true, false, 1),
  ('00000000-0000-4000-9000-000300000007', 'patient', 'Patient', true, true, false, 1),
  ('00000000-0000-4000-9000-000300000008', 'student', 'Student', false, true, false, 1),
  ('00000000-0000-4000-9000-000300000009', 'guest', 'Guest', false, false, false, 0)
on conflict (code) do update
set
  name = excluded.name,
  requires_approval = excluded.requires_approval,
  is_billable = excluded.is_billable,
  can_manage_others = excluded.can_manage_others,
  hierarchy_level = excluded.hierarchy_level
where (held.name, held.requires_approval, held.is_billable, held.can_manage_others, held.hierarchy_level)
  is distinct from (
    excluded.name, excluded.requires_approval, excluded.is_billable, excluded.can_manage_others, excluded.hierarchy_level
  );

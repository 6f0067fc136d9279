-- The fixture of the access tests; requires the reference set. Two worlds, A and B, with each kind of person.
-- Ids: …a0NN people, …b0NN tenants, …c0NN units, then one block per table. World B mirrors world A.
--
--   a001 super admin               a002 admin of A               a006 admin of B
--   a019 super admin, elevated     a003, a004 members of A       a007 member of B
--   a008 auditor                   a005 coach in A               a021 editor in B
--   a010 no tenant, role system    a011 creator, a024 editor in A
--   a009 suspended admin of A      a012 former admin of A: membership ended, role still granted
--   a022 member of A and of B      a013 admin of A whose role expired    a014 … was revoked; admin of the deleted tenant
--   a020 admin, a023 member of the sub-tenant of A, which requires a second factor
--   a015 member of A with a verified factor    a025 member of A whose profile requires one
--   a026 member of A: formerly coach and member of the sub-tenant; needs no second factor
--   a016 admin of one unit of A    a017 editor in A, denied content.edit    a018 member of A, allowed content.create
-- The trigger on auth.users creates the profiles.
insert into auth.users (id, aud, role, email, email_confirmed_at, created_at, updated_at)
select
  person.id::uuid, 'authenticated', 'authenticated', person.email,
  '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00'
from (
  values
    ('00000000-0000-4000-8000-00000000a001', 'super.admin@example.test'),
    ('00000000-0000-4000-8000-00000000a002', 'admin.a@example.test'),
    ('00000000-0000-4000-8000-00000000a003', 'member.one@example.test'),
    ('00000000-0000-4000-8000-00000000a004', 'member.two@example.test'),
    ('00000000-0000-4000-8000-00000000a005', 'coach.a@example.test'),
    ('00000000-0000-4000-8000-00000000a006', 'admin.b@example.test'),
    ('00000000-0000-4000-8000-00000000a007', 'member.b@example.test'),
    ('00000000-0000-4000-8000-00000000a008', 'auditor@example.test'),
    ('00000000-0000-4000-8000-00000000a009', 'suspended@example.test'),
    ('00000000-0000-4000-8000-00000000a010', 'no.tenant@example.test'),
    ('00000000-0000-4000-8000-00000000a011', 'creator.a@example.test'),
    ('00000000-0000-4000-8000-00000000a012', 'former.admin@example.test'),
    ('00000000-0000-4000-8000-00000000a013', 'expired.admin@example.test'),
    ('00000000-0000-4000-8000-00000000a014', 'revoked.admin@example.test'),
    ('00000000-0000-4000-8000-00000000a015', 'enrolled@example.test'),
    ('00000000-0000-4000-8000-00000000a016', 'unit.admin@example.test'),
    ('00000000-0000-4000-8000-00000000a017', 'denied.editor@example.test'),
    ('00000000-0000-4000-8000-00000000a018', 'allowed.member@example.test'),
    ('00000000-0000-4000-8000-00000000a019', 'elevated.admin@example.test'),
    ('00000000-0000-4000-8000-00000000a020', 'admin.east@example.test'),
    ('00000000-0000-4000-8000-00000000a021', 'editor.b@example.test'),
    ('00000000-0000-4000-8000-00000000a022', 'member.both@example.test'),
    ('00000000-0000-4000-8000-00000000a023', 'member.east@example.test'),
    ('00000000-0000-4000-8000-00000000a024', 'editor.a@example.test'),
    ('00000000-0000-4000-8000-00000000a025', 'factor.required@example.test'),
    ('00000000-0000-4000-8000-00000000a026', 'former.coach@example.test')
) as person (id, email);

update iam.profiles
set
  display_name = initcap(replace(split_part(email, '@', 1), '.', ' ')),
  status = case when id = '00000000-0000-4000-8000-00000000a009' then 'suspended' else 'active' end,
  mfa_required = id = '00000000-0000-4000-8000-00000000a025',
  -- One public profile in each world.
  visibility = case
    when id in ('00000000-0000-4000-8000-00000000a005', '00000000-0000-4000-8000-00000000a021')
      then 'public'::core.visibility_level
    else 'private'
  end
where email like '%@example.test';

insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
values
  (
    '00000000-0000-4000-8000-0000000fa015', '00000000-0000-4000-8000-00000000a015', 'totp', 'verified',
    '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00'
  ),
  (
    '00000000-0000-4000-8000-0000000fa004', '00000000-0000-4000-8000-00000000a004', 'totp', 'unverified',
    '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00'
  );

insert into iam.profile_private (user_id, first_name, phone, date_of_birth)
values
  ('00000000-0000-4000-8000-00000000a002', 'Admin', '+000000002', '1980-01-02'),
  ('00000000-0000-4000-8000-00000000a003', 'Member', '+000000003', '1990-01-03'),
  ('00000000-0000-4000-8000-00000000a004', 'Member', '+000000004', '1990-01-04'),
  ('00000000-0000-4000-8000-00000000a007', 'Member', '+000000007', '1990-01-07'),
  ('00000000-0000-4000-8000-00000000a009', 'Suspended', '+000000009', '1990-01-09');

insert into iam.user_preferences (user_id, ui)
values
  ('00000000-0000-4000-8000-00000000a002', '{"theme": "light"}'),
  ('00000000-0000-4000-8000-00000000a003', '{"theme": "dark"}'),
  ('00000000-0000-4000-8000-00000000a004', '{"theme": "light"}'),
  ('00000000-0000-4000-8000-00000000a007', '{"theme": "dark"}'),
  ('00000000-0000-4000-8000-00000000a009', '{"theme": "dark"}');

-- A small data set for development; requires the reference set, can be loaded repeatedly, not for production. Ids
-- begin with 00000000-0000-4000-b000. People have no passwords: the claims of a local session are set by hand.
--
-- 1 super admin, 1 auditor; Northside (admin, editor, two creators, coach, five members) with Northside Beginners below
-- it (admin, two members); Harbour (owner, editor, coach, four members).
-- The trigger on auth.users creates the profiles.
insert into auth.users (id, aud, role, email, email_confirmed_at, raw_user_meta_data, created_at, updated_at)
select
  ('00000000-0000-4000-b000-0001' || lpad(person.number::text, 8, '0'))::uuid, 'authenticated', 'authenticated',
  person.account || '@example.test', '2026-01-01 08:00:00+00', jsonb_build_object('display_name', person.name),
  '2026-01-01 08:00:00+00', '2026-01-01 08:00:00+00'
from (
  values
    (1, 'platform', 'Platform Admin'),
    (2, 'audit', 'Platform Auditor'),
    (11, 'north.admin', 'Northside Admin'),
    (12, 'north.editor', 'Northside Editor'),
    (13, 'north.creator1', 'Northside Creator One'),
    (14, 'north.creator2', 'Northside Creator Two'),
    (15, 'north.coach', 'Northside Coach'),
    (16, 'north.member1', 'Northside Member One'),
    (17, 'north.member2', 'Northside Member Two'),
    (18, 'north.member3', 'Northside Member Three'),
    (19, 'north.member4', 'Northside Member Four'),
    (20, 'north.member5', 'Northside Member Five'),
    (21, 'beginners.admin', 'Beginners Admin'),
    (22, 'beginners.member1', 'Beginners Member One'),
    (23, 'beginners.member2', 'Beginners Member Two'),
    (31, 'harbour.owner', 'Harbour Owner'),
    (32, 'harbour.editor', 'Harbour Editor'),
    (33, 'harbour.coach', 'Harbour Coach'),
    (34, 'harbour.member1', 'Harbour Member One'),
    (35, 'harbour.member2', 'Harbour Member Two'),
    (36, 'harbour.member3', 'Harbour Member Three'),
    (37, 'harbour.member4', 'Harbour Member Four')
) as person (number, account, name)
on conflict (id) do nothing;

insert into iam.user_preferences (user_id, ui)
select p.id, jsonb_build_object('theme', case when right(p.id::text, 1) in ('1', '3', '5', '7', '9') then 'dark' else 'light' end)
from iam.profiles as p
where p.id::text like '00000000-0000-4000-b000-0001%'
on conflict (user_id) do nothing;

-- Accounts that are banned (a031), deleted (a032) or without a profile (a033), and a ban that has ended (a004).
insert into auth.users (id, aud, role, email, email_confirmed_at, banned_until, deleted_at, created_at, updated_at)
select
  ('00000000-0000-4000-8000-00000000' || account.id)::uuid, 'authenticated', 'authenticated', account.email,
  '2026-01-05 08:00:00+00', account.banned_until::timestamptz, account.deleted_at::timestamptz,
  '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00'
from (
  values
    ('a031', 'banned@example.test', 'infinity', null),
    ('a032', 'deleted@example.test', null, '2026-01-06 08:00:00+00'),
    ('a033', 'no.profile@example.test', null, null)
) as account (id, email, banned_until, deleted_at);

update auth.users
set banned_until = '2026-01-06 08:00:00+00'
where id = '00000000-0000-4000-8000-00000000a004';

insert into iam.memberships (tenant_id, user_id, status, joined_at)
values
  ('00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000a031', 'active', '2026-01-05 08:00:00+00'),
  ('00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000a032', 'active', '2026-01-05 08:00:00+00');

-- What the triggers on auth leave after failures: an account without a profile, an address that was not copied, an event
-- that was not recorded; and a failure that has been repaired.
delete from iam.profiles
where id = '00000000-0000-4000-8000-00000000a033';

update iam.profiles
set email = 'earlier@example.test'
where id = '00000000-0000-4000-8000-00000000a026';

insert into iam.account_failures (user_id, step, event_code, sqlstate, occurred_at, repaired_at)
values
  ('00000000-0000-4000-8000-00000000a033', 'profile', null, '23514', '2026-01-05 08:00:00+00', null),
  ('00000000-0000-4000-8000-00000000a026', 'email', null, '23514', '2026-01-05 08:00:00+00', null),
  ('00000000-0000-4000-8000-00000000a015', 'factor', 'mfa.enrolled', 'P0002', '2026-01-05 08:00:00+00', null),
  ('00000000-0000-4000-8000-00000000a003', 'email', null, '23514', '2026-01-05 08:00:00+00', '2026-01-05 09:00:00+00');

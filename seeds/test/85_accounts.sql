-- Accounts that are banned (a031), deleted (a032, a035) or without a profile (a033 to a035), and a ban that has ended (a004).
insert into auth.users (id, aud, role, email, email_confirmed_at, banned_until, deleted_at, created_at, updated_at)
select
  ('00000000-0000-4000-8000-00000000' || account.id)::uuid, 'authenticated', 'authenticated', account.email,
  '2026-01-05 08:00:00+00', account.banned_until::timestamptz, account.deleted_at::timestamptz,
  '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00'
from (
  values
    ('a031', 'banned@example.test', 'infinity', null),
    ('a032', 'deleted@example.test', null, '2026-01-06 08:00:00+00'),
    ('a033', 'no.profile@example.test', null, null),
    ('a034', 'older@example.test', null, null),
    ('a035', 'older.deleted@example.test', null, '2026-01-06 08:00:00+00'),
    ('a036', 'unnamed@example.test', null, null)
) as account (id, email, banned_until, deleted_at);

update auth.users
set banned_until = '2026-01-06 08:00:00+00'
where id = '00000000-0000-4000-8000-00000000a004';

insert into iam.memberships (tenant_id, user_id, status, joined_at)
values
  ('00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000a031', 'active', '2026-01-05 08:00:00+00'),
  ('00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000a032', 'active', '2026-01-05 08:00:00+00');

-- What the triggers on auth leave after failures: an account without a profile, an address that was not copied, events
-- that were not recorded, of which one is unknown; and failures that have been repaired. Two accounts are older than the
-- triggers. The others have a profile that lacks the full name (a031), the name (a032), the picture (a030), nothing (a028)
-- or what the metadata do not contain either (a036).
delete from iam.profiles
where id in (
  '00000000-0000-4000-8000-00000000a033', '00000000-0000-4000-8000-00000000a034', '00000000-0000-4000-8000-00000000a035'
);

-- An account that is deleted has no valid address.
update auth.users
set email = 'd41d8cd9'
where id = '00000000-0000-4000-8000-00000000a032';

update auth.users as u
set raw_user_meta_data = account.metadata::jsonb
from (
  values
    ('a031', '{"full_name": "Banned"}'),
    ('a032', '{"name": "Deleted"}'),
    ('a030', '{"avatar_url": "https://example.test/a030.png"}'),
    ('a028', '{"full_name": "T. Super", "name": "T. S.", "avatar_url": "https://example.test/a028.png"}'),
    ('a036', '{"full_name": ["Unnamed"], "nickname": "U."}')
) as account (id, metadata)
where u.id = ('00000000-0000-4000-8000-00000000' || account.id)::uuid;

update iam.profiles
set full_name = 'Timed Super', avatar_url = 'https://example.test/super.png'
where id = '00000000-0000-4000-8000-00000000a028';

update iam.profiles
set email = 'earlier@example.test'
where id = '00000000-0000-4000-8000-00000000a026';

insert into iam.account_failures (user_id, step, event_code, sqlstate, occurred_at, repaired_at)
select
  ('00000000-0000-4000-8000-00000000' || failure.account)::uuid, failure.step, failure.event_code, failure.sqlstate,
  '2026-01-05 08:00:00+00', failure.repaired_at::timestamptz
from (
  values
    ('a033', 'profile', null, '23514', null),
    ('a026', 'email', null, '23514', null),
    ('a015', 'factor', 'mfa.enrolled', 'P0002', null),
    ('a003', 'email', null, '23514', '2026-01-05 09:00:00+00'),
    ('a031', 'profile', null, '23514', null),
    ('a032', 'profile', null, '23514', null),
    ('a030', 'profile', null, '23514', null),
    ('a028', 'profile', null, '23514', null),
    ('a036', 'profile', null, '23514', null),
    -- The address is that of the profile; it was changed again.
    ('a004', 'email', null, '23514', null),
    ('a031', 'factor', 'mfa.removed', 'P0002', null),
    ('a015', 'factor', 'mfa.unknown', 'P0002', null),
    ('a015', 'profile', null, '23514', '2026-01-05 09:00:00+00'),
    ('a026', 'email', null, '23514', '2026-01-05 09:00:00+00')
) as failure (account, step, event_code, sqlstate, repaired_at);

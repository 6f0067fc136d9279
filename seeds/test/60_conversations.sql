-- Conversations of two members of A, of a member of B and of a member of both. Messages are dated today, because every
-- database has a partition for the current month.
insert into ai.conversations (id, user_id, tenant_id, agent_id, title, status, started_at, last_message_at, deleted_at)
select
  ('00000000-0000-4000-8000-00000000' || talk.id)::uuid,
  ('00000000-0000-4000-8000-00000000' || talk.person)::uuid,
  ('00000000-0000-4000-8000-00000000' || talk.tenant)::uuid,
  ('00000000-0000-4000-8000-00000000' || talk.agent)::uuid,
  talk.title, talk.status::ai.conversation_status,
  '2026-01-05 10:00:00+00', '2026-01-05 10:00:00+00', null
from (
  values
    ('2101', 'a003', 'b001', '1101', 'Member one in A', 'active'),
    ('2102', 'a003', null, '1901', 'Member one alone', 'active'),
    ('2103', 'a003', 'b001', '1101', 'Member one, gone', 'active'),
    ('2110', 'a003', null, '1901', 'Member one, expired', 'active'),
    ('2104', 'a004', 'b001', '1101', 'Member two in A', 'archived'),
    ('2105', 'a009', 'b001', '1101', 'Suspended in A', 'active'),
    ('2201', 'a007', 'b002', '1201', 'Member B in B', 'active'),
    ('2202', 'a022', 'b002', '1201', 'Member of both, in B', 'active'),
    ('2107', 'a017', 'b001', '1101', 'Denied in A', 'active'),
    ('2203', 'a022', 'b001', '1101', 'Member of both, in A', 'active')
) as talk (id, person, tenant, agent, title, status);

insert into ai.conversation_messages (id, conversation_id, user_id, sequence_number, role, content, created_at)
select
  ('00000000-0000-4000-8000-0000' || right(c.id::text, 4) || lpad(message.number::text, 4, '0'))::uuid,
  c.id, c.user_id, message.number, message.role::ai.message_role, message.content, now()
from ai.conversations as c
cross join (
  values
    (1, 'user', 'A question.'),
    (2, 'assistant', 'An answer.')
) as message (number, role, content)
order by c.id, message.number;

-- Inserted before the deletion: a deleted conversation accepts no messages.
update ai.conversations
set deleted_at = '2026-01-06 08:00:00+00', deleted_by = user_id
where id = '00000000-0000-4000-8000-000000002103';

-- Deleted by the service.
update ai.conversations
set deleted_at = '2026-01-06 08:00:00+00'
where id = '00000000-0000-4000-8000-000000002110';

-- The editor who is denied content.edit is denied conversations in A, too.
insert into iam.permission_grants (id, user_id, permission_id, tenant_id, effect, granted_at)
select
  '00000000-0000-4000-8000-000000f2a017', '00000000-0000-4000-8000-00000000a017', p.id,
  '00000000-0000-4000-8000-00000000b001', 'deny', '2026-01-05 08:00:00+00'
from iam.permissions as p
where p.code = 'ai.use';

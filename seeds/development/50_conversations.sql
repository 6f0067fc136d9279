-- Conversations of members with the agents of their community, one with an agent of the platform.
insert into ai.conversations (id, user_id, tenant_id, agent_id, model_id, mode, title, status, started_at, last_message_at)
select
  ('00000000-0000-4000-b000-0008' || lpad(talk.number::text, 8, '0'))::uuid,
  ('00000000-0000-4000-b000-0001' || lpad(talk.person::text, 8, '0'))::uuid,
  ('00000000-0000-4000-b000-00020000000' || talk.tenant)::uuid,
  ('00000000-0000-4000-b000-0007' || lpad(talk.agent::text, 8, '0'))::uuid,
  '00000000-0000-4000-9000-000810000007',
  talk.mode::ai.conversation_mode, talk.title, talk.status::ai.conversation_status,
  '2026-01-03 09:00:00+00', '2026-01-03 09:00:00+00'
from (
  values
    (1, 16, 1, 101, 'sandbox', 'What is an agent?', 'active'),
    (2, 16, 1, 101, 'assigned', 'First exercise', 'completed'),
    (3, 17, 1, 101, 'sandbox', 'Plan for the week', 'active'),
    (4, 18, 1, 101, 'sandbox', 'Words I did not know', 'archived'),
    (5, 19, null, 104, 'sandbox', 'How do I change my name?', 'active'),
    (6, 15, 1, 101, 'coaching', 'Preparing a session', 'paused'),
    (7, 34, 3, 103, 'sandbox', 'When are you open?', 'active'),
    (8, 35, 3, 103, 'sandbox', 'May I bring a friend?', 'completed'),
    (9, 36, 3, 103, 'assigned', 'House rules', 'active')
) as talk (number, person, tenant, agent, mode, title, status)
on conflict (id) do nothing;

-- Dated in the current month, for which every database has a partition. Tested before the INSERT, not with
-- `on conflict`: the trigger that numbers messages would also count rows that are not inserted.
insert into ai.conversation_messages (
  id, conversation_id, user_id, sequence_number, role, content, model_id, tokens_in, tokens_out, created_at
)
select
  planned.id, planned.conversation_id, planned.user_id, planned.number, planned.role::ai.message_role, planned.content,
  planned.model_id, planned.tokens_in, planned.tokens_out,
  date_trunc('month', now(), 'UTC') + planned.number * interval '1 minute'
from (
  select
    ('00000000-0000-4000-b000-0009' || right(c.id::text, 4) || lpad(message.number::text, 4, '0'))::uuid as id,
    c.id as conversation_id, c.user_id, message.number, message.role, message.content, message.tokens_in, message.tokens_out,
    case when message.role = 'assistant' then c.model_id end as model_id
  from ai.conversations as c
  cross join (
    values
      (1, 'user', 'I have a question about this.', null::integer, null::integer),
      (2, 'assistant', 'Gladly. What have you tried so far?', 42, 12),
      (3, 'user', 'I read the page twice and still do not see how it begins.', null, null),
      (4, 'assistant', 'Then let us begin with an example, and name the parts afterwards.', 96, 18),
      (5, 'user', 'That helped. One more example, please.', null, null),
      (6, 'assistant', 'Here is one that differs in a single part. Which one?', 140, 15)
  ) as message (number, role, content, tokens_in, tokens_out)
  where c.id::text like '00000000-0000-4000-b000-0008%'
    and c.deleted_at is null
) as planned
where not exists (
  select
  from ai.conversation_messages as m
  where m.id = planned.id
)
order by planned.conversation_id, planned.number;

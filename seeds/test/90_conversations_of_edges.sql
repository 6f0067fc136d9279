-- A conversation of a person with a second factor; one of a super admin in a tenant that they support and are no member of;
-- and a message in the conversation of a person in a tenant that the person has left.
insert into ai.conversations (id, user_id, tenant_id, title, started_at, last_message_at)
values
  (
    '00000000-0000-4000-8000-000000002108', '00000000-0000-4000-8000-00000000a015', null, 'Enrolled',
    '2026-01-05 10:00:00+00', '2026-01-05 10:00:00+00'
  ),
  (
    '00000000-0000-4000-8000-000000002109', '00000000-0000-4000-8000-00000000a041', '00000000-0000-4000-8000-00000000b001',
    'Supporting in A', '2026-01-05 10:00:00+00', '2026-01-05 10:00:00+00'
  );

insert into ai.conversation_messages (id, conversation_id, user_id, sequence_number, role, content, created_at)
values (
  '00000000-0000-4000-8000-000021060001', '00000000-0000-4000-8000-000000002106', '00000000-0000-4000-8000-00000000a003', 1,
  'user', 'A question in B.', now()
);

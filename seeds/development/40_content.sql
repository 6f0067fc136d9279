-- Content in all five repositories, in every status, of both communities and of the platform.
insert into content.folders (id, tenant_id, repository_id, parent_id, name)
select
  ('00000000-0000-4000-b000-0006' || lpad(folder.number::text, 8, '0'))::uuid,
  ('00000000-0000-4000-b000-00020000000' || folder.tenant)::uuid,
  r.id,
  ('00000000-0000-4000-b000-0006' || lpad(folder.parent::text, 8, '0'))::uuid,
  folder.name
from (
  values
    (1, 1, null::integer, 'Onboarding'),
    (2, 1, 1, 'First week'),
    (3, 3, null, 'House')
) as folder (number, tenant, parent, name)
join content.repositories as r on r.code = 'documents'
order by folder.number
on conflict (id) do nothing;

insert into content.items (
  id, repository_id, content_type, tenant_id, folder_id, owner_id, title, description, status, visibility, published_at
)
select
  ('00000000-0000-4000-b000-0007' || lpad(item.number::text, 8, '0'))::uuid,
  r.id,
  r.content_type,
  ('00000000-0000-4000-b000-00020000000' || item.tenant)::uuid,
  ('00000000-0000-4000-b000-0006' || lpad(item.folder::text, 8, '0'))::uuid,
  ('00000000-0000-4000-b000-0001' || lpad(item.owner::text, 8, '0'))::uuid,
  item.title,
  item.description,
  item.status::content.content_status,
  item.visibility::core.visibility_level,
  case when item.status = 'published' then timestamptz '2026-01-02 09:00:00+00' end
from (
  values
    (101, 'ai_agents', 1, null::integer, 12, 'Study partner', 'Answers with questions.', 'published', 'tenant'),
    (102, 'ai_agents', 1, null, 13, 'Draft reviewer', 'Marks unclear passages.', 'review', 'tenant'),
    (103, 'ai_agents', 3, null, 32, 'Harbour guide', 'Answers questions about the house and its rules.', 'published', 'public'),
    (104, 'ai_agents', null, null, null, 'Platform helper', 'Explains the product.', 'published', 'public'),
    (201, 'videos', 1, null, 13, 'Welcome', 'Three minutes about how we work.', 'published', 'tenant'),
    (202, 'videos', 1, null, 13, 'How to ask', 'Good questions, short ones.', 'draft', 'tenant'),
    (203, 'videos', 3, null, 32, 'Harbour tour', 'A walk along the quay.', 'published', 'public'),
    (301, 'documents', 1, 1, 14, 'Handbook', 'Everything in one place.', 'published', 'tenant'),
    (302, 'documents', 1, 2, 14, 'Your first week', 'Day by day.', 'published', 'tenant'),
    (303, 'documents', 1, 2, 14, 'Your second week', 'Not finished.', 'draft', 'tenant'),
    (304, 'documents', 1, null, 12, 'Old handbook', 'Kept for reference.', 'archived', 'tenant'),
    (305, 'documents', 3, 3, 32, 'House rules', 'Be kind, tidy up.', 'published', 'tenant'),
    (306, 'documents', null, null, null, 'Getting started', 'For all members.', 'published', 'public'),
    (401, 'prompts', 1, null, 13, 'Summarise', 'Five sentences and one question.', 'published', 'tenant'),
    (402, 'prompts', 1, null, 14, 'Explain to a beginner', 'Without foreign words.', 'approved', 'tenant'),
    (403, 'prompts', 3, null, 32, 'Weekly letter', 'What happened, what comes.', 'published', 'tenant'),
    (501, 'automations', 1, null, 12, 'Monday digest', 'Collects what was published.', 'published', 'tenant'),
    (502, 'automations', 3, null, 32, 'Welcome new members', 'Sends the house rules.', 'published', 'tenant')
) as item (number, repository, tenant, folder, owner, title, description, status, visibility)
join content.repositories as r on r.code = item.repository
on conflict (id) do nothing;

insert into content.ai_agents (item_id, system_prompt, personality, model_id)
select i.id, 'You are ' || i.title || '. ' || i.description, 'patient', m.id
from content.items as i
join ai.models as m on m.id = '00000000-0000-4000-9000-000810000007'
where i.content_type = 'ai_agent'
  and i.id::text like '00000000-0000-4000-b000-0007%'
on conflict (item_id) do nothing;

insert into content.videos (item_id, media_id, external_url, duration_seconds, transcript, transcript_status)
values
  (
    '00000000-0000-4000-b000-000700000201', '00000000-0000-4000-b000-000500000001', null, 180,
    'Welcome. This is how we work: we ask, we try, we report.', 'ready'
  ),
  (
    '00000000-0000-4000-b000-000700000202', null, 'https://video.example.test/how-to-ask', 240, null, 'queued'
  ),
  (
    '00000000-0000-4000-b000-000700000203', '00000000-0000-4000-b000-000500000004', null, 420, null, 'none'
  )
on conflict (item_id) do nothing;

insert into content.documents (item_id, body, media_id)
select
  i.id,
  '# ' || i.title || E'\n\n' || i.description,
  case i.id
    when '00000000-0000-4000-b000-000700000301' then '00000000-0000-4000-b000-000500000003'::uuid
    when '00000000-0000-4000-b000-000700000305' then '00000000-0000-4000-b000-000500000005'::uuid
  end
from content.items as i
where i.content_type = 'document'
  and i.id::text like '00000000-0000-4000-b000-0007%'
on conflict (item_id) do nothing;

insert into content.prompts (item_id, template, variables)
select i.id, i.description || E'\n\n{text}', '["text"]'
from content.items as i
where i.content_type = 'prompt'
  and i.id::text like '00000000-0000-4000-b000-0007%'
on conflict (item_id) do nothing;

insert into content.automations (item_id, trigger_type, schedule_cron, event_type, is_enabled)
values
  ('00000000-0000-4000-b000-000700000501', 'schedule', '0 7 * * 1', null, true),
  ('00000000-0000-4000-b000-000700000502', 'event', null, 'membership.created', true)
on conflict (item_id) do nothing;

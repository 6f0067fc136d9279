-- The five repositories.
insert into content.repositories as held (id, code, content_type, name, description)
values
  (
    '00000000-0000-4000-9000-000900000001', 'ai_agents', 'ai_agent', 'AI agents',
    'Agents people talk to.'
  ),
  (
    '00000000-0000-4000-9000-000900000002', 'videos', 'video', 'Videos',
    'Recordings with transcripts.'
  ),
  (
    '00000000-0000-4000-9000-000900000003', 'documents', 'document', 'Documents',
    'Texts and files to read.'
  ),
  (
    '00000000-0000-4000-9000-000900000004', 'prompts', 'prompt', 'Prompts',
    'Templates to start from.'
  ),
  (
    '00000000-0000-4000-9000-000900000005', 'automations', 'automation', 'Automations',
    'Work that runs by itself.'
  )
on conflict (code) do update
set name = excluded.name, description = excluded.description
where (held.name, held.description) is distinct from (excluded.name, excluded.description);

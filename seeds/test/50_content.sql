-- Content: one published item per repository and world, and a document in every other state. World A …1NN, its
-- sub-tenant …3NN, world B …2NN, the global catalogue …9NN.
insert into content.folders (id, tenant_id, repository_id, parent_id, name, deleted_at)
select
  ('00000000-0000-4000-8000-00000000' || folder.id)::uuid,
  ('00000000-0000-4000-8000-00000000' || folder.tenant)::uuid,
  r.id,
  ('00000000-0000-4000-8000-00000000' || folder.parent)::uuid,
  folder.name,
  folder.deleted_at::timestamptz
from (
  values
    ('f101', 'b001', null, 'Folder A', null),
    ('f102', 'b001', 'f101', 'Folder A inside', null),
    ('f103', 'b001', null, 'Folder A gone', '2026-01-06 08:00:00+00'),
    ('f301', 'b003', null, 'Folder A east', null),
    ('f201', 'b002', null, 'Folder B', null),
    ('f202', 'b002', null, 'Folder B gone', '2026-01-06 08:00:00+00')
) as folder (id, tenant, parent, name, deleted_at)
join content.repositories as r on r.code = 'documents';

insert into content.items (
  id, repository_id, content_type, tenant_id, folder_id, owner_id, title, status, visibility, published_at, deleted_at, deleted_by
)
select
  ('00000000-0000-4000-8000-00000000' || item.id)::uuid,
  r.id,
  r.content_type,
  ('00000000-0000-4000-8000-00000000' || item.tenant)::uuid,
  ('00000000-0000-4000-8000-00000000' || item.folder)::uuid,
  ('00000000-0000-4000-8000-00000000' || item.owner)::uuid,
  item.title,
  item.status::content.content_status,
  item.visibility::core.visibility_level,
  case when item.status = 'published' then timestamptz '2026-01-05 09:00:00+00' end,
  item.deleted_at::timestamptz,
  case when item.deleted_at is not null then ('00000000-0000-4000-8000-00000000' || item.owner)::uuid end
from (
  values
    ('1101', 'ai_agents', 'b001', null, 'a011', 'Agent A', 'published', 'tenant', null),
    ('1102', 'videos', 'b001', null, 'a011', 'Video A', 'published', 'tenant', null),
    ('1103', 'documents', 'b001', 'f101', 'a011', 'Document A', 'published', 'tenant', null),
    ('1104', 'prompts', 'b001', null, 'a011', 'Prompt A', 'published', 'tenant', null),
    ('1105', 'automations', 'b001', null, 'a011', 'Automation A', 'published', 'tenant', null),
    ('1106', 'documents', 'b001', 'f102', 'a011', 'Document A draft', 'draft', 'tenant', null),
    ('1107', 'documents', 'b001', null, 'a011', 'Document A private', 'published', 'private', null),
    ('1108', 'documents', 'b001', null, 'a011', 'Document A public', 'published', 'public', null),
    ('1109', 'documents', 'b001', null, 'a011', 'Document A gone', 'published', 'tenant', '2026-01-06 08:00:00+00'),
    ('1110', 'documents', 'b001', null, 'a003', 'Document A of member one', 'draft', 'tenant', null),
    ('1111', 'documents', 'b001', null, 'a011', 'Document A public draft', 'draft', 'public', null),
    -- Its owner is no longer a member.
    ('1112', 'documents', 'b001', null, 'a012', 'Document A of the former admin', 'draft', 'tenant', null),
    ('1401', 'documents', 'b004', null, null, 'Document of the deleted tenant', 'published', 'tenant', null),
    ('1301', 'documents', 'b003', 'f301', 'a020', 'Document A east', 'published', 'tenant', null),
    ('1201', 'ai_agents', 'b002', null, 'a021', 'Agent B', 'published', 'tenant', null),
    ('1202', 'videos', 'b002', null, 'a021', 'Video B', 'published', 'tenant', null),
    ('1203', 'documents', 'b002', 'f201', 'a021', 'Document B', 'published', 'tenant', null),
    ('1204', 'prompts', 'b002', null, 'a021', 'Prompt B', 'published', 'tenant', null),
    ('1205', 'automations', 'b002', null, 'a021', 'Automation B', 'published', 'tenant', null),
    ('1206', 'documents', 'b002', null, 'a021', 'Document B draft', 'draft', 'tenant', null),
    ('1207', 'documents', 'b002', null, 'a021', 'Document B private', 'published', 'private', null),
    ('1208', 'documents', 'b002', null, 'a021', 'Document B public', 'published', 'public', null),
    ('1209', 'documents', 'b002', null, 'a021', 'Document B gone', 'published', 'tenant', '2026-01-06 08:00:00+00'),
    ('1210', 'documents', 'b002', null, 'a007', 'Document B of member B', 'draft', 'tenant', null),
    ('1901', 'ai_agents', null, null, null, 'Agent of the platform', 'published', 'public', null),
    ('1902', 'documents', null, null, null, 'Document of the platform', 'published', 'tenant', null),
    ('1903', 'documents', null, null, null, 'Document of the platform, draft', 'draft', 'tenant', null)
) as item (id, repository, tenant, folder, owner, title, status, visibility, deleted_at)
join content.repositories as r on r.code = item.repository;

-- The typed parts.
insert into content.ai_agents (item_id, system_prompt)
select i.id, 'You are ' || i.title || '.' from content.items as i where i.content_type = 'ai_agent';

insert into content.videos (item_id, external_url)
select i.id, 'https://video.example.test/' || i.id from content.items as i where i.content_type = 'video';

insert into content.documents (item_id, body)
select i.id, 'Body of ' || i.title || '.' from content.items as i where i.content_type = 'document';

insert into content.prompts (item_id, template)
select i.id, 'Prompt of ' || i.title || '.' from content.items as i where i.content_type = 'prompt';

insert into content.automations (item_id, trigger_type)
select i.id, 'manual' from content.items as i where i.content_type = 'automation';

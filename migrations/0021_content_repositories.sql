-- 0021 content repositories
-- from: schema/content/repositories.sql.j2, schema/content/folders.sql.j2, schema/content/_functions/publish_item.sql.j2, schema/content/items.sql.j2, schema/content/ai_agents.sql.j2, schema/content/automations.sql.j2, schema/content/documents.sql.j2, schema/content/prompts.sql.j2, schema/content/videos.sql.j2, policies/content.sql.j2
-- migrate:up

-- schema/content/repositories.sql.j2

create table content.repositories (
  id uuid not null default gen_random_uuid(),
  code text not null,
  content_type content.content_type not null,
  name text not null,
  description text,
  settings jsonb not null default '{}',
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint repositories_pkey primary key (id),
  constraint repositories_code_key unique (code),
  constraint repositories_content_type_key unique (content_type),
  constraint repositories_id_content_type_key unique (id, content_type)
);

comment on table content.repositories is
  'Five rows, one per content type: the type is unique and has five values.';

create trigger aa_touch
  before update on content.repositories
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on content.repositories
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

alter table content.repositories enable row level security;

revoke all on content.repositories from public;

-- schema/content/folders.sql.j2

create table content.folders (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  repository_id uuid not null,
  parent_id uuid,
  name text not null,
  ancestor_ids uuid[] not null default '{}',
  depth smallint not null default 0,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  constraint folders_pkey primary key (id),
  constraint folders_tenant_id_repository_id_id_key unique (tenant_id, repository_id, id),
  constraint folders_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint folders_repository_id_fkey
    foreign key (repository_id) references content.repositories (id) on delete restrict,
  constraint folders_tenant_id_repository_id_parent_id_fkey
    foreign key (tenant_id, repository_id, parent_id)
    references content.folders (tenant_id, repository_id, id) on delete restrict,
  constraint folders_depth_check check (depth between 0 and 10),
  constraint folders_parent_id_check check (parent_id is distinct from id)
);

comment on table content.folders is 'A parent is a folder of the same tenant and repository: both are part of the '
  'foreign key.';

comment on column content.folders.ancestor_ids is
  'The ancestors from the root to the parent; maintained by the tree triggers.';

-- Folder names are unique within a folder, except for deleted ones.
create unique index folders_tenant_id_repository_id_parent_id_name_key
  on content.folders (tenant_id, repository_id, parent_id, name) nulls not distinct
  where deleted_at is null;

-- Children of a folder.
create index folders_parent_id_idx
  on content.folders (parent_id)
  where parent_id is not null;

create trigger aa_touch
  before update on content.folders
  for each row execute function core.touch();

create trigger ac_tree
  before insert or update of parent_id, ancestor_ids, depth on content.folders
  for each row execute function core.place_in_tree('parent_id');

create trigger ac_tree_moved
  after update of parent_id on content.folders
  for each row when (old.ancestor_ids is distinct from new.ancestor_ids)
  execute function core.move_subtree('parent_id');

alter table content.folders enable row level security;

revoke all on content.folders from public;

-- schema/content/_functions/publish_item.sql.j2

create function content.publish_item()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.status = 'published' and (tg_op = 'INSERT' or old.status <> 'published') then
    -- No person is signed in: service_role, a job or a seed.
    if auth.uid() is not null
      and not authz.is_super_admin()
      and (
        new.tenant_id is null
        or not (new.tenant_id = any (array(select authz.tenants_with('content.publish'))))
      )
    then
      raise exception 'publishing requires the permission content.publish'
        using errcode = 'insufficient_privilege';
    end if;

    new.published_at := coalesce(new.published_at, now());
    new.published_by := coalesce(auth.uid(), new.published_by);
  elsif tg_op = 'UPDATE' and new.status = 'published' then
    new.published_at := old.published_at;
    -- Only the erasure of the publisher sets null.
    new.published_by := case when new.published_by is null then null else old.published_by end;
  elsif new.status <> 'archived' then
    new.published_at := null;
    new.published_by := null;
  end if;

  return new;
end
$$;

comment on function content.publish_item() is
  'Trigger ae_publish: requires a permission to publish an item, and records when and by which person it was '
  'published.';

revoke all on function content.publish_item() from public;

-- schema/content/items.sql.j2

create table content.items (
  id uuid not null default core.uuid_v7(),
  repository_id uuid not null,
  content_type content.content_type not null,
  tenant_id uuid,
  folder_id uuid,
  owner_id uuid,
  title text not null,
  description text,
  thumbnail_media_id uuid,
  language_code text not null default 'en',
  status content.content_status not null default 'draft',
  visibility core.visibility_level not null default 'tenant',
  version integer not null default 1,
  metadata jsonb not null default '{}',
  published_at timestamptz,
  published_by uuid,
  archived_at timestamptz,
  search tsvector not null generated always as (
    setweight(to_tsvector('simple', coalesce(title, '')), 'A')
    || setweight(to_tsvector('simple', coalesce(description, '')), 'B')
  ) stored,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  row_version integer not null default 1,
  constraint items_pkey primary key (id),
  constraint items_id_content_type_key unique (id, content_type),
  constraint items_repository_id_content_type_fkey
    foreign key (repository_id, content_type) references content.repositories (id, content_type) on delete restrict,
  constraint items_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint items_tenant_id_repository_id_folder_id_fkey
    foreign key (tenant_id, repository_id, folder_id)
    references content.folders (tenant_id, repository_id, id) on delete set null (folder_id),
  constraint items_owner_id_fkey foreign key (owner_id) references iam.profiles (id) on delete set null,
  constraint items_thumbnail_media_id_fkey foreign key (thumbnail_media_id) references media.media (id) on delete set null,
  constraint items_language_code_fkey foreign key (language_code) references platform.languages (code) on delete restrict,
  constraint items_published_by_fkey foreign key (published_by) references iam.profiles (id) on delete set null,
  constraint items_title_check check (length(title) between 1 and 500),
  constraint items_version_check check (version > 0),
  constraint items_folder_id_check check (folder_id is null or tenant_id is not null),
  constraint items_published_at_check check ((status = 'published') = (published_at is not null) or status = 'archived')
);

-- The trigger that registers a row in core.resources follows with that table.
comment on table content.items is
  'The supertype: the type-specific part is a row with the same id in one of the five typed tables.';

comment on column content.items.tenant_id is 'Null: an item of the global catalogue of the platform.';

comment on column content.items.owner_id is 'Null: the owner was erased, or the item belongs to the platform.';

comment on column content.items.folder_id is 'A folder of the same tenant and repository: both are part of the '
  'foreign key.';

-- Repository listing of a tenant.
create index items_tenant_id_repository_id_status_published_at_idx
  on content.items (tenant_id, repository_id, status, published_at desc);

-- Drafts of a person; a person's items when the person is erased.
create index items_owner_id_idx
  on content.items (owner_id)
  where owner_id is not null;

-- Global catalogue.
create index items_published_at_idx
  on content.items (published_at desc)
  where status = 'published' and tenant_id is null;

-- Policy: newest in the tenants of a person.
create index items_tenant_id_published_at_idx
  on content.items (tenant_id, published_at desc)
  where status = 'published' and deleted_at is null;

-- Policy: public items.
create index items_id_idx
  on content.items (id)
  where status = 'published' and visibility = 'public';

-- Full-text search.
create index items_search_idx on content.items using gin (search);

-- Metadata filters.
create index items_metadata_idx on content.items using gin (metadata jsonb_path_ops);

create index items_folder_id_idx
  on content.items (folder_id)
  where folder_id is not null;

create index items_thumbnail_media_id_idx
  on content.items (thumbnail_media_id)
  where thumbnail_media_id is not null;

create index items_published_by_idx
  on content.items (published_by)
  where published_by is not null;

create trigger aa_touch
  before update on content.items
  for each row execute function core.touch('row_version');

create trigger ab_file
  before insert or update of thumbnail_media_id on content.items
  for each row execute function media.reject_unseen_file('thumbnail_media_id');

create trigger ae_publish
  before insert or update of status, published_at, published_by on content.items
  for each row execute function content.publish_item();

create trigger zz_audit
  after insert or update or delete on content.items
  for each row execute function audit.record_row(
    'diff',
    'id',
    'owner_id,published_by',
    'owner_id',
    'tenant_id'
  );

alter table content.items enable row level security;

revoke all on content.items from public;

-- schema/content/ai_agents.sql.j2

create table content.ai_agents (
  item_id uuid not null,
  content_type content.content_type not null default 'ai_agent',
  system_prompt text not null,
  personality text,
  capabilities text[] not null default '{}',
  knowledge_base jsonb not null default '{}',
  model_id uuid,
  temperature numeric(3, 2) not null default 0.7,
  max_output_tokens integer not null default 2048,
  safety_settings jsonb not null default '{}',
  avatar_media_id uuid,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint ai_agents_pkey primary key (item_id),
  constraint ai_agents_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint ai_agents_model_id_fkey foreign key (model_id) references ai.models (id) on delete restrict,
  constraint ai_agents_avatar_media_id_fkey foreign key (avatar_media_id) references media.media (id) on delete set null,
  constraint ai_agents_content_type_check check (content_type = 'ai_agent'),
  constraint ai_agents_system_prompt_check check (length(system_prompt) between 1 and 32000),
  constraint ai_agents_temperature_check check (temperature between 0 and 2),
  constraint ai_agents_max_output_tokens_check check (max_output_tokens between 1 and 200000)
);

comment on table content.ai_agents is
  'The type-specific part of an item of type agent. The type is part of the foreign key, so other items '
  'cannot have this row.';

comment on column content.ai_agents.system_prompt is
  'Readable by all who can read the item; must not contain secrets.';

create index ai_agents_model_id_idx
  on content.ai_agents (model_id)
  where model_id is not null;

create index ai_agents_avatar_media_id_idx
  on content.ai_agents (avatar_media_id)
  where avatar_media_id is not null;

create trigger aa_touch
  before update on content.ai_agents
  for each row execute function core.touch();

create trigger ab_file
  before insert or update of avatar_media_id on content.ai_agents
  for each row execute function media.reject_unseen_file('avatar_media_id');

create trigger zz_audit
  after insert or update or delete on content.ai_agents
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    '',
    '',
    ''
  );

alter table content.ai_agents enable row level security;

revoke all on content.ai_agents from public;

-- schema/content/automations.sql.j2

create table content.automations (
  item_id uuid not null,
  content_type content.content_type not null default 'automation',
  trigger_type text not null,
  schedule_cron text,
  event_type text,
  definition jsonb not null default '{}',
  is_enabled boolean not null default false,
  last_run_at timestamptz,
  next_run_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint automations_pkey primary key (item_id),
  constraint automations_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint automations_content_type_check check (content_type = 'automation'),
  constraint automations_trigger_type_check check (trigger_type in ('manual', 'schedule', 'event', 'webhook')),
  constraint automations_schedule_cron_check check ((trigger_type = 'schedule') = (schedule_cron is not null))
);

comment on table content.automations is
  'The type-specific part of an item of type automation. Runs are executed by service_role.';

-- Scheduler.
create index automations_next_run_at_idx
  on content.automations (next_run_at)
  where is_enabled;

create trigger aa_touch
  before update on content.automations
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on content.automations
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    '',
    '',
    ''
  );

alter table content.automations enable row level security;

revoke all on content.automations from public;

-- schema/content/documents.sql.j2

create table content.documents (
  item_id uuid not null,
  content_type content.content_type not null default 'document',
  body_format text not null default 'markdown',
  body text,
  media_id uuid,
  page_count integer,
  word_count integer,
  body_search tsvector not null generated always as (
    to_tsvector('simple', coalesce(left(body, 800000), ''))
  ) stored,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint documents_pkey primary key (item_id),
  constraint documents_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint documents_media_id_fkey foreign key (media_id) references media.media (id) on delete restrict,
  constraint documents_content_type_check check (content_type = 'document'),
  constraint documents_body_format_check check (body_format in ('markdown', 'html', 'json', 'file')),
  constraint documents_page_count_check check (page_count > 0),
  constraint documents_body_media_id_check check (num_nonnulls(body, media_id) >= 1)
);

comment on table content.documents is
  'The type-specific part of an item of type document: a text, a file, or both.';

comment on column content.documents.body_search is 'From the first 800,000 characters: a tsvector holds one megabyte.';

-- Search inside documents.
create index documents_body_search_idx on content.documents using gin (body_search);

create index documents_media_id_idx
  on content.documents (media_id)
  where media_id is not null;

create trigger aa_touch
  before update on content.documents
  for each row execute function core.touch();

create trigger ab_file
  before insert or update of media_id on content.documents
  for each row execute function media.reject_unseen_file('media_id');

alter table content.documents enable row level security;

revoke all on content.documents from public;

-- schema/content/prompts.sql.j2

create table content.prompts (
  item_id uuid not null,
  content_type content.content_type not null default 'prompt',
  template text not null,
  variables jsonb not null default '[]',
  target_model_id uuid,
  usage_count bigint not null default 0,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint prompts_pkey primary key (item_id),
  constraint prompts_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint prompts_target_model_id_fkey foreign key (target_model_id) references ai.models (id) on delete set null,
  constraint prompts_content_type_check check (content_type = 'prompt'),
  constraint prompts_template_check check (length(template) <= 32000),
  constraint prompts_variables_check check (jsonb_typeof(variables) = 'array')
);

comment on table content.prompts is 'The type-specific part of an item of type prompt.';

comment on column content.prompts.variables is 'The placeholders of the template, in order.';

create index prompts_target_model_id_idx
  on content.prompts (target_model_id)
  where target_model_id is not null;

create trigger aa_touch
  before update on content.prompts
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on content.prompts
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    '',
    '',
    ''
  );

alter table content.prompts enable row level security;

revoke all on content.prompts from public;

-- schema/content/videos.sql.j2

create table content.videos (
  item_id uuid not null,
  content_type content.content_type not null default 'video',
  media_id uuid,
  external_url text,
  duration_seconds integer,
  transcript text,
  transcript_status text not null default 'none',
  transcript_search tsvector not null generated always as (
    to_tsvector('simple', coalesce(left(transcript, 800000), ''))
  ) stored,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint videos_pkey primary key (item_id),
  constraint videos_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint videos_media_id_fkey foreign key (media_id) references media.media (id) on delete restrict,
  constraint videos_content_type_check check (content_type = 'video'),
  constraint videos_external_url_check check (external_url ~ '^https://'),
  constraint videos_duration_seconds_check check (duration_seconds > 0),
  constraint videos_transcript_status_check check (
    transcript_status in ('none', 'queued', 'processing', 'ready', 'failed')
  ),
  constraint videos_media_id_external_url_check check (num_nonnulls(media_id, external_url) >= 1)
);

comment on table content.videos is
  'The type-specific part of an item of type video: a file in object storage, an external address, or both.';

comment on column content.videos.transcript_search is 'From the first 800,000 characters: a tsvector holds one '
  'megabyte.';

-- Search inside transcripts.
create index videos_transcript_search_idx on content.videos using gin (transcript_search);

create index videos_media_id_idx
  on content.videos (media_id)
  where media_id is not null;

create trigger aa_touch
  before update on content.videos
  for each row execute function core.touch();

create trigger ab_file
  before insert or update of media_id on content.videos
  for each row execute function media.reject_unseen_file('media_id');

alter table content.videos enable row level security;

revoke all on content.videos from public;

-- policies/content.sql.j2

grant usage on schema content to authenticated;
grant usage on schema content to service_role;

create policy repositories_session on content.repositories
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy repositories_select on content.repositories
  for select to authenticated
  using (true);

create policy repositories_insert on content.repositories
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy repositories_update on content.repositories
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy repositories_delete on content.repositories
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on content.repositories to authenticated;

grant select, insert, update, delete on content.repositories to service_role;

create policy folders_session on content.folders
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy folders_select on content.folders
  for select to authenticated
  using (
    (
      tenant_id = any (array(select authz.tenant_ids()))
      or tenant_id = any (array(select authz.admin_tenant_ids()))
    )
    and deleted_at is null
  );

create policy folders_insert on content.folders
  for insert to authenticated
  with check (tenant_id = any (array(select authz.tenants_with('content.edit'))) and deleted_at is null);

create policy folders_update on content.folders
  for update to authenticated
  using (tenant_id = any (array(select authz.tenants_with('content.edit'))) and deleted_at is null)
  with check (tenant_id = any (array(select authz.tenants_with('content.edit'))) and deleted_at is null);

grant select, insert, update on content.folders to authenticated;

grant select, insert, update, delete on content.folders to service_role;

-- Publishing also requires content.publish: trigger ae_publish.
create policy items_session on content.items
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy items_select on content.items
  for select to authenticated
  using (
    (
      owner_id = (select auth.uid())
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or tenant_id = any (array(select authz.admin_tenant_ids()))
      or (tenant_id = any (array(select authz.tenant_ids())) and status = 'published' and visibility = 'tenant')
      or (tenant_id is null and (status = 'published' or (select authz.is_super_admin())))
      or (status = 'published' and visibility = 'public')
    )
    and deleted_at is null
  );

create policy items_insert on content.items
  for insert to authenticated
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or (tenant_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

create policy items_update on content.items
  for update to authenticated
  using (
    (
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenant_ids())))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  )
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenant_ids())))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

grant select, insert, update (folder_id, title, description, thumbnail_media_id, language_code, status, visibility, version, metadata, archived_at) on content.items to authenticated;

grant select, insert, update, delete on content.items to service_role;

create policy ai_agents_session on content.ai_agents
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy ai_agents_select on content.ai_agents
  for select to authenticated
  using (exists (select from content.items as item where item.id = ai_agents.item_id));

create policy ai_agents_insert on content.ai_agents
  for insert to authenticated
  with check (exists (
      select
      from content.items as item
      where item.id = ai_agents.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy ai_agents_update on content.ai_agents
  for update to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = ai_agents.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ))
  with check (exists (
      select
      from content.items as item
      where item.id = ai_agents.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy ai_agents_delete on content.ai_agents
  for delete to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = ai_agents.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

grant select, insert, update, delete on content.ai_agents to authenticated;

grant select, insert, update, delete on content.ai_agents to service_role;

create policy videos_session on content.videos
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy videos_select on content.videos
  for select to authenticated
  using (exists (select from content.items as item where item.id = videos.item_id));

create policy videos_insert on content.videos
  for insert to authenticated
  with check (exists (
      select
      from content.items as item
      where item.id = videos.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy videos_update on content.videos
  for update to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = videos.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ))
  with check (exists (
      select
      from content.items as item
      where item.id = videos.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy videos_delete on content.videos
  for delete to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = videos.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

grant select, insert, update, delete on content.videos to authenticated;

grant select, insert, update, delete on content.videos to service_role;

create policy documents_session on content.documents
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy documents_select on content.documents
  for select to authenticated
  using (exists (select from content.items as item where item.id = documents.item_id));

create policy documents_insert on content.documents
  for insert to authenticated
  with check (exists (
      select
      from content.items as item
      where item.id = documents.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy documents_update on content.documents
  for update to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = documents.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ))
  with check (exists (
      select
      from content.items as item
      where item.id = documents.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy documents_delete on content.documents
  for delete to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = documents.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

grant select, insert, update, delete on content.documents to authenticated;

grant select, insert, update, delete on content.documents to service_role;

create policy prompts_session on content.prompts
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy prompts_select on content.prompts
  for select to authenticated
  using (exists (select from content.items as item where item.id = prompts.item_id));

create policy prompts_insert on content.prompts
  for insert to authenticated
  with check (exists (
      select
      from content.items as item
      where item.id = prompts.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy prompts_update on content.prompts
  for update to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = prompts.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ))
  with check (exists (
      select
      from content.items as item
      where item.id = prompts.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy prompts_delete on content.prompts
  for delete to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = prompts.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

grant select, insert, update, delete on content.prompts to authenticated;

grant select, insert, update, delete on content.prompts to service_role;

create policy automations_session on content.automations
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy automations_select on content.automations
  for select to authenticated
  using (exists (select from content.items as item where item.id = automations.item_id));

create policy automations_insert on content.automations
  for insert to authenticated
  with check (exists (
      select
      from content.items as item
      where item.id = automations.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy automations_update on content.automations
  for update to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = automations.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ))
  with check (exists (
      select
      from content.items as item
      where item.id = automations.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

create policy automations_delete on content.automations
  for delete to authenticated
  using (exists (
      select
      from content.items as item
      where item.id = automations.item_id
        and (
          (item.owner_id = (select auth.uid()) and item.tenant_id = any (array(select authz.tenant_ids())))
          or item.tenant_id = any (array(select authz.tenants_with('content.edit')))
          or (item.tenant_id is null and (select authz.is_super_admin()))
        )
    ));

grant select, insert, update, delete on content.automations to authenticated;

grant select, insert, update, delete on content.automations to service_role;

-- migrate:down

revoke usage on schema content from authenticated;
revoke usage on schema content from service_role;

drop table
  content.videos,
  content.prompts,
  content.documents,
  content.automations,
  content.ai_agents,
  content.items,
  content.folders,
  content.repositories;

drop function content.publish_item();

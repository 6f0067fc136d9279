-- 0022 content repositories
-- from: schema/content/repositories.sql.j2, schema/content/_functions/can_read.sql.j2, schema/content/_functions/copy_root.sql.j2, schema/content/_functions/copy_root_to_part.sql.j2, schema/content/_functions/publish_item.sql.j2, schema/content/_functions/reject_deleted_folder.sql.j2, schema/content/folders.sql.j2, schema/content/items.sql.j2, schema/content/ai_agents.sql.j2, schema/content/automations.sql.j2, schema/content/prompts.sql.j2, schema/content/_functions/require_source.sql.j2, schema/content/documents.sql.j2, schema/content/videos.sql.j2, schema/content/_functions/search_items.sql.j2, policies/content.sql.j2
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
  constraint repositories_id_content_type_key unique (id, content_type),
  constraint repositories_code_check check (code ~ '^[a-z_]{1,63}$'),
  constraint repositories_name_check check (length(name) between 1 and 100),
  constraint repositories_description_check check (length(description) <= 1000),
  constraint repositories_settings_check check (jsonb_typeof(settings) = 'object' and pg_column_size(settings) <= 16384)
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

-- schema/content/_functions/can_read.sql.j2

-- Called by the policies of content.items and of the typed tables, and by content.search_items(). It has no SET clause and
-- is not SECURITY DEFINER, so that PostgreSQL inlines it and the policies can use indexes. Every argument that a policy
-- computes in a sub-select occurs once in the body: PostgreSQL does not inline a call that would duplicate a sub-select.
create function content.can_read(
  audience text,
  tenant_id uuid,
  owner_id uuid,
  person uuid,
  memberships uuid[],
  trusted uuid[],
  is_platform boolean
)
returns boolean
language sql
stable
parallel safe
as $$
  select
    can_read.audience <> 'none'
    and (
      (
        can_read.audience = 'everyone'
        and (can_read.tenant_id is null or authz.tenant_is_open(can_read.tenant_id))
      )
      or (
        can_read.tenant_id = any (can_read.memberships)
        and (can_read.audience = 'members' or can_read.owner_id = can_read.person)
      )
      or can_read.tenant_id = any (can_read.trusted)
      or (can_read.tenant_id is null and can_read.is_platform)
    )
$$;

comment on function content.can_read(text, uuid, uuid, uuid, uuid[], uuid[], boolean) is
  'Whether a person can read an item or its typed part: items of the audience everyone; in the tenants of which '
  'the person is a member, those of the audience members and the own ones; in the tenants of `trusted`, all; for '
  '`is_platform`, all of the global catalogue. Deleted items have the audience none.';

revoke all on function content.can_read(text, uuid, uuid, uuid, uuid[], uuid[], boolean) from public;

grant execute on function content.can_read(text, uuid, uuid, uuid, uuid[], uuid[], boolean) to authenticated;

-- schema/content/_functions/copy_root.sql.j2

create function content.copy_root()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- The lock waits for a concurrent change of the item, whose trigger ba_root does not see this row yet.
  select i.tenant_id, i.owner_id, i.audience
  into new.tenant_id, new.owner_id, new.audience
  from content.items as i
  where i.id = new.item_id
  for share;

  if not found then
    new.audience := 'none';
  end if;

  return new;
end
$$;

comment on function content.copy_root() is
  'Trigger ab_root: sets tenant, owner and audience of the typed part to those of its item, overriding values '
  'of the statement. The policies of the typed part read these columns instead of the item.';

revoke all on function content.copy_root() from public;

-- schema/content/_functions/copy_root_to_part.sql.j2

create function content.copy_root_to_part()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- The trigger ab_root of the typed table sets the values; an item has one part at most.
  case new.content_type
    when 'ai_agent' then
      update content.ai_agents set audience = new.audience where item_id = new.id;
    when 'video' then
      update content.videos set audience = new.audience where item_id = new.id;
    when 'document' then
      update content.documents set audience = new.audience where item_id = new.id;
    when 'prompt' then
      update content.prompts set audience = new.audience where item_id = new.id;
    when 'automation' then
      update content.automations set audience = new.audience where item_id = new.id;
  end case;

  return null;
end
$$;

comment on function content.copy_root_to_part() is
  'Trigger ba_root: copies a change of tenant, owner or audience of an item to its typed part.';

revoke all on function content.copy_root_to_part() from public;

-- schema/content/_functions/publish_item.sql.j2

create function content.publish_item()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  was_published boolean := tg_op = 'UPDATE' and old.status = 'published';
  is_published boolean := new.status = 'published';
begin
  if (was_published <> is_published or was_published and new.visibility <> old.visibility)
    -- Null: service_role, a job or a seed.
    and auth.uid() is not null
    and (
      new.tenant_id = any (array(select authz.tenants_with('content.publish')))
      or new.tenant_id is null and authz.is_super_admin()
    ) is not true
  then
    raise exception 'publishing and withdrawing require the permission content.publish'
      using errcode = 'insufficient_privilege';
  end if;

  if is_published and not was_published then
    new.published_at := coalesce(new.published_at, now());
    new.published_by := coalesce(auth.uid(), new.published_by);
  elsif is_published then
    new.published_at := old.published_at;
    -- Only the erasure of the publisher sets null.
    new.published_by := case when new.published_by is null then null else old.published_by end;
  elsif new.status <> 'archived' then
    new.published_at := null;
    new.published_by := null;
  end if;

  new.archived_at := case
    when new.status <> 'archived' then null
    when tg_op = 'UPDATE' and old.status = 'archived' then old.archived_at
    else now()
  end;

  if tg_op = 'UPDATE' then
    new.version := old.version;

    if old.status in ('published', 'archived') and new.status not in ('published', 'archived') then
      new.version := old.version + 1;
    end if;
  end if;

  return new;
end
$$;

comment on function content.publish_item() is
  'Trigger ae_publish: requires content.publish to publish an item, to withdraw it, and to change the '
  'visibility of a published one; sets version and the columns that record when and by which person.';

revoke all on function content.publish_item() from public;

-- schema/content/_functions/reject_deleted_folder.sql.j2

create function content.reject_deleted_folder()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  if wanted is null or tg_op = 'UPDATE' and wanted = (to_jsonb(old) ->> tg_argv[0])::uuid then
    return new;
  end if;

  -- The lock waits for a concurrent deletion of the folder, which deletes the contents that it sees.
  perform from content.folders as f
  where f.id = wanted
    and f.deleted_at is null
  for share;

  if not found then
    raise exception 'the folder does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$$;

comment on function content.reject_deleted_folder() is
  'Trigger ab_folder: rejects a reference to a deleted folder. Its argument is the referencing column.';

revoke all on function content.reject_deleted_folder() from public;

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
    references content.folders (tenant_id, repository_id, id) on delete cascade,
  constraint folders_name_check check (length(name) between 1 and 255),
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

-- core.soft_delete() and core.restore(): the folders below a folder.
create index folders_ancestor_ids_idx on content.folders using gin (ancestor_ids);

-- Children of a folder; foreign key of the parent.
create index folders_parent_id_idx
  on content.folders (parent_id)
  where parent_id is not null;

create trigger aa_touch
  before update on content.folders
  for each row execute function core.touch();

create trigger ab_folder
  before insert or update of parent_id on content.folders
  for each row execute function content.reject_deleted_folder('parent_id');

create trigger ac_tree
  before insert or update of parent_id, ancestor_ids, depth on content.folders
  for each row execute function core.place_in_tree('parent_id');

create trigger ac_tree_moved
  after update of parent_id on content.folders
  for each row when (old.ancestor_ids is distinct from new.ancestor_ids)
  execute function core.move_subtree('parent_id');

alter table content.folders enable row level security;

revoke all on content.folders from public;

-- schema/content/items.sql.j2

create table content.items (
  id uuid not null default core.uuid_v7(),
  repository_id uuid not null,
  content_type content.content_type not null,
  tenant_id uuid,
  folder_id uuid,
  owner_id uuid default auth.uid(),
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
  audience content.audience not null generated always as (
    case
      when deleted_at is not null then 'none'
      when status <> 'published' then 'editors'
      when tenant_id is null or visibility = 'public' then 'everyone'
      when visibility = 'tenant' then 'members'
      else 'editors'
    end
  ) stored,
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
  constraint items_description_check check (length(description) <= 5000),
  constraint items_version_check check (version > 0),
  constraint items_metadata_check check (jsonb_typeof(metadata) = 'object' and pg_column_size(metadata) <= 32768),
  constraint items_owner_id_check check (owner_id is null or tenant_id is not null),
  constraint items_folder_id_check check (folder_id is null or tenant_id is not null),
  constraint items_published_at_check check ((status = 'published') = (published_at is not null) or status = 'archived'),
  constraint items_archived_at_check check ((status = 'archived') = (archived_at is not null))
);

-- The trigger that registers a row in core.resources follows with that table.
comment on table content.items is
  'The supertype: the type-specific part is a row with the same id in one of the five typed tables.';

comment on column content.items.tenant_id is 'Null: an item of the global catalogue of the platform.';

comment on column content.items.owner_id is 'Null: the owner was erased, or the item belongs to the platform.';

comment on column content.items.version is
  'Number of the edition: incremented when a published or archived item is edited again.';

comment on column content.items.audience is
  'Who can read the item, from its status, visibility and deletion. The typed tables contain a copy.';

comment on column content.items.folder_id is 'A folder of the same tenant and repository: both are part of the '
  'foreign key.';

-- Repository listing of a tenant.
create index items_tenant_id_repository_id_status_published_at_idx
  on content.items (tenant_id, repository_id, status, published_at desc);

-- Own items of a person in a tenant; a person's items when the person is erased.
create index items_owner_id_idx
  on content.items (owner_id)
  where owner_id is not null;

-- Newest published items, of all tenants of a person and of the global catalogue.
create index items_published_at_idx
  on content.items (published_at desc)
  where status = 'published';

-- Newest items of every status.
create index items_created_at_idx on content.items (created_at desc);

-- Newest published items of a tenant.
create index items_tenant_id_published_at_idx
  on content.items (tenant_id, published_at desc)
  where status = 'published';

-- Policy and content.search_items(): items that everyone can read.
create index items_id_idx
  on content.items (id)
  where audience = 'everyone';

-- content.search_items(): words.
create index items_search_idx on content.items using gin (search);

-- content.search_items(): metadata.
create index items_metadata_idx on content.items using gin (metadata jsonb_path_ops);

-- Foreign key: the referenced row is deleted or updated.
create index items_folder_id_idx
  on content.items (folder_id)
  where folder_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index items_thumbnail_media_id_idx
  on content.items (thumbnail_media_id)
  where thumbnail_media_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index items_published_by_idx
  on content.items (published_by)
  where published_by is not null;

create trigger aa_touch
  before update on content.items
  for each row execute function core.touch('row_version');

create trigger ab_file
  before insert or update of thumbnail_media_id on content.items
  for each row execute function media.reject_unseen_file('thumbnail_media_id');

create trigger ab_folder
  before insert or update of folder_id on content.items
  for each row execute function content.reject_deleted_folder('folder_id');

create trigger ae_publish
  before insert or update of status, visibility, version, published_at, published_by, archived_at on content.items
  for each row execute function content.publish_item();

create trigger ba_root
  after update of tenant_id, owner_id, status, visibility, deleted_at on content.items
  for each row
  when (
    (old.tenant_id, old.owner_id, old.audience) is distinct from (new.tenant_id, new.owner_id, new.audience)
  )
  execute function content.copy_root_to_part();

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
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
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
  constraint ai_agents_personality_check check (length(personality) <= 4000),
  constraint ai_agents_capabilities_check check (cardinality(capabilities) <= 50 and pg_column_size(capabilities) <= 8192),
  constraint ai_agents_knowledge_base_check check (
    jsonb_typeof(knowledge_base) = 'object' and pg_column_size(knowledge_base) <= 262144
  ),
  constraint ai_agents_safety_settings_check check (
    jsonb_typeof(safety_settings) = 'object' and pg_column_size(safety_settings) <= 16384
  ),
  constraint ai_agents_temperature_check check (temperature between 0 and 2),
  constraint ai_agents_max_output_tokens_check check (max_output_tokens between 1 and 200000)
);

comment on table content.ai_agents is
  'The type-specific part of an item of type agent. The type is part of the foreign key, so other items '
  'cannot have this row.';

comment on column content.ai_agents.system_prompt is
  'Readable by all who can read the item; must not contain secrets.';

-- Foreign key: the referenced row is deleted or updated.
create index ai_agents_model_id_idx
  on content.ai_agents (model_id)
  where model_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index ai_agents_avatar_media_id_idx
  on content.ai_agents (avatar_media_id)
  where avatar_media_id is not null;

-- AI agents of a tenant.
create index ai_agents_tenant_id_idx on content.ai_agents (tenant_id);

create trigger aa_touch
  before update on content.ai_agents
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.ai_agents
  for each row execute function content.copy_root();

create trigger ab_file
  before insert or update of avatar_media_id on content.ai_agents
  for each row execute function media.reject_unseen_file('avatar_media_id');

create trigger zz_audit
  after insert or update or delete on content.ai_agents
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    'owner_id',
    'owner_id',
    'tenant_id',
    'tenant_id,owner_id,audience'
  );

alter table content.ai_agents enable row level security;

revoke all on content.ai_agents from public;

-- schema/content/automations.sql.j2

create table content.automations (
  item_id uuid not null,
  content_type content.content_type not null default 'automation',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
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
  constraint automations_schedule_cron_check check (
    (trigger_type = 'schedule') = (schedule_cron is not null) and length(schedule_cron) <= 100
  ),
  constraint automations_event_type_check check (
    (trigger_type = 'event' or event_type is null) and length(event_type) <= 100
  ),
  constraint automations_definition_check check (
    jsonb_typeof(definition) = 'object' and pg_column_size(definition) <= 262144
  )
);

comment on table content.automations is
  'The type-specific part of an item of type automation. Runs are executed by service_role.';

-- Automations that are due.
create index automations_next_run_at_idx
  on content.automations (next_run_at)
  where is_enabled;

-- Automations of a tenant.
create index automations_tenant_id_idx on content.automations (tenant_id);

create trigger aa_touch
  before update on content.automations
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.automations
  for each row execute function content.copy_root();

create trigger zz_audit
  after insert or update or delete on content.automations
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    'owner_id',
    'owner_id',
    'tenant_id',
    'tenant_id,owner_id,audience'
  );

alter table content.automations enable row level security;

revoke all on content.automations from public;

-- schema/content/prompts.sql.j2

create table content.prompts (
  item_id uuid not null,
  content_type content.content_type not null default 'prompt',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
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
  constraint prompts_variables_check check (
    jsonb_typeof(variables) = 'array' and pg_column_size(variables) <= 16384
  )
);

comment on table content.prompts is 'The type-specific part of an item of type prompt.';

comment on column content.prompts.variables is 'The placeholders of the template, in order.';

-- Foreign key: the referenced row is deleted or updated.
create index prompts_target_model_id_idx
  on content.prompts (target_model_id)
  where target_model_id is not null;

-- Prompts of a tenant.
create index prompts_tenant_id_idx on content.prompts (tenant_id);

create trigger aa_touch
  before update on content.prompts
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.prompts
  for each row execute function content.copy_root();

create trigger zz_audit
  after insert or update or delete on content.prompts
  for each row execute function audit.record_row(
    'diff',
    'item_id',
    'owner_id',
    'owner_id',
    'tenant_id',
    'tenant_id,owner_id,audience'
  );

alter table content.prompts enable row level security;

revoke all on content.prompts from public;

-- schema/content/_functions/require_source.sql.j2

create function content.require_source()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  part jsonb := to_jsonb(new);
begin
  -- In a nested trigger, the deletion of a file has set its reference to null.
  if pg_trigger_depth() = 1 and coalesce(part ->> tg_argv[0], part ->> tg_argv[1]) is null then
    raise exception '% or % is required', tg_argv[0], tg_argv[1]
      using errcode = 'check_violation';
  end if;

  return new;
end
$$;

comment on function content.require_source() is
  'Trigger ab_source: one of the two columns named by its arguments must have a value, unless the file was '
  'deleted. A CHECK constraint would prevent the deletion of a tenant, whose files are deleted with it.';

revoke all on function content.require_source() from public;

-- schema/content/documents.sql.j2

create table content.documents (
  item_id uuid not null,
  content_type content.content_type not null default 'document',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
  body_format text not null default 'markdown',
  body text,
  media_id uuid,
  page_count integer,
  word_count integer,
  body_search tsvector not null generated always as (
    to_tsvector('simple', coalesce(left(body, 250000), ''))
  ) stored,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint documents_pkey primary key (item_id),
  constraint documents_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint documents_media_id_fkey foreign key (media_id) references media.media (id) on delete set null,
  constraint documents_content_type_check check (content_type = 'document'),
  constraint documents_body_format_check check (body_format in ('markdown', 'html', 'json', 'file')),
  constraint documents_body_check check (length(body) <= 1000000),
  constraint documents_page_count_check check (page_count > 0),
  constraint documents_word_count_check check (word_count >= 0)
);

comment on table content.documents is
  'The type-specific part of an item of type document: a text, a file, or both.';

comment on column content.documents.media_id is 'Null: the document has no file, or the file was deleted.';

comment on column content.documents.body_search is 'From the first 250,000 characters: a tsvector holds one megabyte.';

-- content.search_items(): search inside documents.
create index documents_body_search_idx on content.documents using gin (body_search);

-- Foreign key: the referenced row is deleted or updated.
create index documents_media_id_idx
  on content.documents (media_id)
  where media_id is not null;

-- Documents of a tenant.
create index documents_tenant_id_idx on content.documents (tenant_id);

create trigger aa_touch
  before update on content.documents
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.documents
  for each row execute function content.copy_root();

create trigger ab_source
  before insert or update of body, media_id on content.documents
  for each row execute function content.require_source('body', 'media_id');

create trigger ab_file
  before insert or update of media_id on content.documents
  for each row execute function media.reject_unseen_file('media_id');

alter table content.documents enable row level security;

revoke all on content.documents from public;

-- schema/content/videos.sql.j2

create table content.videos (
  item_id uuid not null,
  content_type content.content_type not null default 'video',
  tenant_id uuid,
  owner_id uuid,
  audience content.audience not null,
  media_id uuid,
  external_url core.http_url,
  duration_seconds integer,
  transcript text,
  transcript_status text not null default 'none',
  transcript_search tsvector not null generated always as (
    to_tsvector('simple', coalesce(left(transcript, 250000), ''))
  ) stored,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint videos_pkey primary key (item_id),
  constraint videos_item_id_content_type_fkey
    foreign key (item_id, content_type) references content.items (id, content_type) on delete cascade,
  constraint videos_media_id_fkey foreign key (media_id) references media.media (id) on delete set null,
  constraint videos_content_type_check check (content_type = 'video'),
  constraint videos_external_url_check check (external_url ~ '^https://'),
  constraint videos_duration_seconds_check check (duration_seconds > 0),
  constraint videos_transcript_status_check check (
    transcript_status in ('none', 'queued', 'processing', 'ready', 'failed')
  ),
  constraint videos_transcript_check check (length(transcript) <= 1000000)
);

comment on table content.videos is
  'The type-specific part of an item of type video: a file in object storage, an external address, or both.';

comment on column content.videos.media_id is 'Null: the video has no file, or the file was deleted.';

comment on column content.videos.transcript_search is 'From the first 250,000 characters: a tsvector holds one '
  'megabyte.';

-- content.search_items(): search inside transcripts.
create index videos_transcript_search_idx on content.videos using gin (transcript_search);

-- Foreign key: the referenced row is deleted or updated.
create index videos_media_id_idx
  on content.videos (media_id)
  where media_id is not null;

-- Videos of a tenant.
create index videos_tenant_id_idx on content.videos (tenant_id);

create trigger aa_touch
  before update on content.videos
  for each row execute function core.touch();

create trigger ab_root
  before insert or update of item_id, tenant_id, owner_id, audience on content.videos
  for each row execute function content.copy_root();

create trigger ab_source
  before insert or update of media_id, external_url on content.videos
  for each row execute function content.require_source('media_id', 'external_url');

create trigger ab_file
  before insert or update of media_id on content.videos
  for each row execute function media.reject_unseen_file('media_id');

alter table content.videos enable row level security;

revoke all on content.videos from public;

-- schema/content/_functions/search_items.sql.j2

-- Row-level security executes @@ and @> only after the policies, because they are not leakproof, and then without an index.
-- This function reads as its owner and applies the rule of the policies itself. Each execution is planned with the values of
-- the arguments: a plan for all values would not use the indexes.
create function content.search_items(
  query text default null,
  with_metadata jsonb default null,
  in_bodies boolean default false,
  in_tenant uuid default null,
  of_type content.content_type default null,
  with_status content.content_status default null,
  in_language text default null,
  page_size integer default 20,
  after_rank double precision default null,
  after_id uuid default null
)
returns table (
  id uuid,
  content_type content.content_type,
  tenant_id uuid,
  title text,
  description text,
  status content.content_status,
  published_at timestamptz,
  rank double precision
)
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
  person uuid := auth.uid();
  memberships uuid[];
  trusted uuid[];
  is_platform boolean;
  sought tsquery;
begin
  if page_size is null or page_size not between 1 and 100 then
    raise exception 'a page has 1 to 100 items'
      using errcode = 'invalid_parameter_value';
  end if;

  if query is not null then
    sought := websearch_to_tsquery('simple', left(query, 1000));
  end if;

  if querytree(sought) in ('', 'T') then
    raise exception 'the query contains no word to search for'
      using errcode = 'invalid_parameter_value';
  end if;

  if sought is null and (with_metadata is null or with_metadata = '{}') then
    raise exception 'a query or metadata is required'
      using errcode = 'invalid_parameter_value',
            hint = 'Select from content.items to list items.';
  end if;

  if authz.session_ok('enrolled') is not true then
    return;
  end if;

  memberships := array(select authz.tenant_ids());
  trusted := array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids());
  is_platform := authz.is_super_admin();

  return query
  with
  matches as (
    select i.id, coalesce(ts_rank(i.search, sought), 0) as score
    from content.items as i
    where (sought is null or i.search @@ sought)
      and (with_metadata is null or i.metadata @> with_metadata)
      and (in_tenant is null or i.tenant_id = in_tenant)
      and (of_type is null or i.content_type = of_type)
      and (with_status is null or i.status = with_status)
      and (in_language is null or i.language_code = in_language)
      and content.can_read(
        i.audience, i.tenant_id, i.owner_id, person, memberships, trusted, is_platform
      )
    union all
    select i.id, ts_rank(d.body_search, sought)
    from content.documents as d
    join content.items as i on i.id = d.item_id
    where in_bodies
      and d.body_search @@ sought
      and (with_metadata is null or i.metadata @> with_metadata)
      and (in_tenant is null or d.tenant_id = in_tenant)
      and (of_type is null or i.content_type = of_type)
      and (with_status is null or i.status = with_status)
      and (in_language is null or i.language_code = in_language)
      and content.can_read(
        d.audience, d.tenant_id, d.owner_id, person, memberships, trusted, is_platform
      )
    union all
    select i.id, ts_rank(v.transcript_search, sought)
    from content.videos as v
    join content.items as i on i.id = v.item_id
    where in_bodies
      and v.transcript_search @@ sought
      and (with_metadata is null or i.metadata @> with_metadata)
      and (in_tenant is null or v.tenant_id = in_tenant)
      and (of_type is null or i.content_type = of_type)
      and (with_status is null or i.status = with_status)
      and (in_language is null or i.language_code = in_language)
      and content.can_read(
        v.audience, v.tenant_id, v.owner_id, person, memberships, trusted, is_platform
      )
  ),
  ranked as (
    select m.id, sum(m.score)::double precision as rank
    from matches as m
    group by m.id
  ),
  page as (
    select r.id, r.rank
    from ranked as r
    where after_id is null
      or (r.rank, r.id) < (coalesce(after_rank, 0), after_id)
    order by r.rank desc, r.id desc
    limit page_size
  )
  select i.id, i.content_type, i.tenant_id, i.title, i.description, i.status, i.published_at, p.rank
  from page as p
  join content.items as i on i.id = p.id
  order by p.rank desc, p.id desc;
end
$$;

comment on function content.search_items(
  text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid
) is
  'The items that match a query in title and description (and in bodies of documents and transcripts of videos, '
  'if in_bodies) or contain the metadata, or both; only those that the caller can select from content.items. '
  'Highest rank first. For the next page pass rank and id of the last item.';

revoke all on function content.search_items(text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid) from public;

grant execute on function content.search_items(text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid) to authenticated;

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

grant select, delete, insert (code, content_type, name, description, settings, is_enabled), update (code, content_type, name, description, settings, is_enabled) on content.repositories to authenticated;

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

grant select, insert (tenant_id, repository_id, parent_id, name), update (parent_id, name) on content.folders to authenticated;

grant select, insert, update, delete on content.folders to service_role;

-- Publishing also requires content.publish: trigger ae_publish.
create policy items_session on content.items
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy items_select on content.items
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

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
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and deleted_at is null)
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and deleted_at is null);

grant select, insert (repository_id, content_type, tenant_id, owner_id, folder_id, title, description, thumbnail_media_id, language_code, status, visibility, metadata), update (folder_id, title, description, thumbnail_media_id, language_code, status, visibility, metadata) on content.items to authenticated;

grant select, insert, update, delete on content.items to service_role;

create policy ai_agents_session on content.ai_agents
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy ai_agents_select on content.ai_agents
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy ai_agents_insert on content.ai_agents
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy ai_agents_update on content.ai_agents
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy ai_agents_delete on content.ai_agents
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, system_prompt, personality, capabilities, knowledge_base, model_id, temperature, max_output_tokens, safety_settings, avatar_media_id), update (system_prompt, personality, capabilities, knowledge_base, model_id, temperature, max_output_tokens, safety_settings, avatar_media_id) on content.ai_agents to authenticated;

grant select, insert, update, delete on content.ai_agents to service_role;

create policy videos_session on content.videos
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy videos_select on content.videos
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy videos_insert on content.videos
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy videos_update on content.videos
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy videos_delete on content.videos
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, media_id, external_url, duration_seconds, transcript), update (media_id, external_url, duration_seconds, transcript) on content.videos to authenticated;

grant select, insert, update, delete on content.videos to service_role;

create policy documents_session on content.documents
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy documents_select on content.documents
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy documents_insert on content.documents
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy documents_update on content.documents
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy documents_delete on content.documents
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, body_format, body, media_id, page_count, word_count), update (body_format, body, media_id, page_count, word_count) on content.documents to authenticated;

grant select, insert, update, delete on content.documents to service_role;

create policy prompts_session on content.prompts
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy prompts_select on content.prompts
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy prompts_insert on content.prompts
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy prompts_update on content.prompts
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy prompts_delete on content.prompts
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, template, variables, target_model_id), update (template, variables, target_model_id) on content.prompts to authenticated;

grant select, insert, update, delete on content.prompts to service_role;

create policy automations_session on content.automations
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy automations_select on content.automations
  for select to authenticated
  using (content.can_read(
      audience,
      tenant_id,
      owner_id,
      (select auth.uid()),
      array(select authz.tenant_ids()),
      array(select authz.tenants_with('content.edit') union select authz.admin_tenant_ids()),
      (select authz.is_super_admin())
    ));

create policy automations_insert on content.automations
  for insert to authenticated
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy automations_update on content.automations
  for update to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none')
  with check ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

create policy automations_delete on content.automations
  for delete to authenticated
  using ((
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('content.create'))))
      or tenant_id = any (array(select authz.tenants_with('content.edit')))
      or (tenant_id is null and (select authz.is_super_admin()))
    ) and audience <> 'none');

grant select, delete, insert (item_id, tenant_id, owner_id, audience, trigger_type, schedule_cron, event_type, definition, is_enabled), update (trigger_type, schedule_cron, event_type, definition, is_enabled) on content.automations to authenticated;

grant select, insert, update, delete on content.automations to service_role;

-- migrate:down

revoke usage on schema content from authenticated;
revoke usage on schema content from service_role;

drop table
  content.videos,
  content.documents,
  content.prompts,
  content.automations,
  content.ai_agents,
  content.items,
  content.folders,
  content.repositories;

drop function content.search_items(text, jsonb, boolean, uuid, content.content_type, content.content_status, text, integer, double precision, uuid);
drop function content.require_source();
drop function content.reject_deleted_folder();
drop function content.publish_item();
drop function content.copy_root_to_part();
drop function content.copy_root();
drop function content.can_read(text, uuid, uuid, uuid, uuid[], uuid[], boolean);

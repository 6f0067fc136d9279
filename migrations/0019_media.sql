-- 0019 media
-- from: schema/media/media_types.sql.j2, schema/media/media.sql.j2, schema/media/_functions/reject_unseen_file.sql.j2, policies/media.sql.j2
-- migrate:up

-- schema/media/media_types.sql.j2

create table media.media_types (
  id uuid not null default gen_random_uuid(),
  code text not null,
  name text not null,
  description text,
  allowed_mime_types text[] not null,
  max_file_size_bytes bigint not null,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint media_types_pkey primary key (id),
  constraint media_types_code_key unique (code),
  constraint media_types_code_check check (code in ('image', 'video', 'audio', 'document')),
  constraint media_types_max_file_size_bytes_check check (max_file_size_bytes > 0)
);

comment on table media.media_types is 'Read by the upload service before it signs a URL.';

create trigger aa_touch
  before update on media.media_types
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on media.media_types
  for each row execute function audit.record_row(
    'diff',
    'id',
    '',
    '',
    ''
  );

alter table media.media_types enable row level security;

revoke all on media.media_types from public;

-- schema/media/media.sql.j2

create table media.media (
  id uuid not null default gen_random_uuid(),
  media_type_id uuid not null,
  tenant_id uuid,
  owner_id uuid,
  visibility core.visibility_level not null default 'private',
  bucket text not null,
  object_key text not null,
  filename text not null,
  mime_type text not null,
  file_size_bytes bigint not null,
  content_sha256 bytea,
  status text not null default 'ready',
  alt_text text,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  constraint media_pkey primary key (id),
  constraint media_bucket_object_key_key unique (bucket, object_key),
  constraint media_media_type_id_fkey foreign key (media_type_id) references media.media_types (id) on delete restrict,
  constraint media_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint media_owner_id_fkey foreign key (owner_id) references iam.profiles (id) on delete set null,
  constraint media_filename_check check (length(filename) between 1 and 255),
  constraint media_file_size_bytes_check check (file_size_bytes > 0),
  constraint media_content_sha256_check check (octet_length(content_sha256) = 32),
  constraint media_status_check check (status in ('uploading', 'ready', 'quarantined', 'failed'))
);

-- The trigger that registers a row in core.resources follows with that table.
comment on table media.media is 'Metadata of an object; its content is not stored in PostgreSQL.';

comment on column media.media.tenant_id is 'Null: a private file of its owner, or a file of the platform.';

-- De-duplication.
create index media_content_sha256_idx
  on media.media (content_sha256)
  where content_sha256 is not null;

-- Files of a person; a person's files when the person is erased.
create index media_owner_id_idx
  on media.media (owner_id)
  where owner_id is not null;

-- Media library and storage quota of a tenant.
create index media_tenant_id_media_type_id_created_at_idx
  on media.media (tenant_id, media_type_id, created_at desc);

-- Policy: public files.
create index media_visibility_idx
  on media.media (visibility)
  where deleted_at is null;

create index media_media_type_id_idx
  on media.media (media_type_id);

create trigger aa_touch
  before update on media.media
  for each row execute function core.touch();

alter table media.media enable row level security;

revoke all on media.media from public;

-- schema/media/_functions/reject_unseen_file.sql.j2

create function media.reject_unseen_file()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
declare
  wanted uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  -- Runs with the caller's privileges, so the policies of media.media determine the visible files.
  if wanted is not null
    and (tg_op = 'INSERT' or wanted is distinct from (to_jsonb(old) ->> tg_argv[0])::uuid)
    and not exists (select from media.media as m where m.id = wanted)
  then
    raise exception 'the file does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$$;

comment on function media.reject_unseen_file() is
  'Trigger ab_file: rejects a reference to a file that the caller cannot read; otherwise the service that '
  'delivers referenced files would disclose it. Foreign keys ignore policies. Its argument is the referencing '
  'column.';

revoke all on function media.reject_unseen_file() from public;

-- policies/media.sql.j2

grant usage on schema media to anon;
grant usage on schema media to authenticated;
grant usage on schema media to service_role;

create policy media_types_session on media.media_types
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy media_types_select on media.media_types
  for select to authenticated
  using (true);

create policy media_types_insert on media.media_types
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy media_types_update on media.media_types
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy media_types_delete on media.media_types
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on media.media_types to authenticated;

grant select, insert, update, delete on media.media_types to service_role;

create policy media_types_select_anon on media.media_types
  for select to anon
  using (true);

grant select on media.media_types to anon;

-- The owner cannot update storage location and quarantine.
create policy media_session on media.media
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy media_select on media.media
  for select to authenticated
  using (
    (
      owner_id = (select auth.uid())
      or tenant_id = any (array(select authz.admin_tenant_ids()))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
      or visibility = 'public'
      or (visibility = 'tenant' and tenant_id = any (array(select authz.tenant_ids())))
    )
    and deleted_at is null
  );

create policy media_insert on media.media
  for insert to authenticated
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('training.create'))))
      or (owner_id = (select auth.uid()) and tenant_id is null and visibility = 'private')
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

create policy media_update on media.media
  for update to authenticated
  using (
    (
      (owner_id = (select auth.uid()) and tenant_id is null)
      or (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenant_ids())))
      or tenant_id = any (array(select authz.tenants_with('training.edit')))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  )
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id is null and visibility = 'private')
      or (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenant_ids())))
      or tenant_id = any (array(select authz.tenants_with('training.edit')))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

grant select, insert, update (visibility, filename, alt_text) on media.media to authenticated;

grant select, insert, update, delete on media.media to service_role;

-- migrate:down

revoke usage on schema media from anon;
revoke usage on schema media from authenticated;
revoke usage on schema media from service_role;

drop table
  media.media,
  media.media_types;

drop function media.reject_unseen_file();

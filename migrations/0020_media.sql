-- 0020 media
-- from: schema/media/media_types.sql.j2, schema/media/_functions/check_file.sql.j2, schema/media/_functions/delete_personal_files.sql.j2, schema/media/media.sql.j2, schema/media/_functions/reject_unseen_file.sql.j2, policies/media.sql.j2
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
  constraint media_types_name_check check (length(name) between 1 and 100),
  constraint media_types_description_check check (length(description) <= 1000),
  constraint media_types_allowed_mime_types_check check (
    cardinality(allowed_mime_types) between 1 and 50 and pg_column_size(allowed_mime_types) <= 8192
  ),
  constraint media_types_max_file_size_bytes_check check (max_file_size_bytes > 0)
);

comment on table media.media_types is
  'Read by the upload service before it signs a URL, and by the trigger ab_check of media.media.';

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

-- schema/media/_functions/check_file.sql.j2

create function media.check_file()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  kind media.media_types;
  limit_bytes bigint;
  used_bytes bigint;
begin
  if tg_op = 'INSERT'
    or (new.media_type_id, new.mime_type, new.file_size_bytes)
      is distinct from (old.media_type_id, old.mime_type, old.file_size_bytes)
  then
    select t.*
    into kind
    from media.media_types as t
    where t.id = new.media_type_id;

    if not (new.mime_type = any (kind.allowed_mime_types)) then
      raise exception 'files of type % cannot have the format %', kind.code, new.mime_type
        using errcode = 'check_violation';
    end if;

    if new.file_size_bytes > kind.max_file_size_bytes then
      raise exception 'files of type % can have % bytes at most', kind.code, kind.max_file_size_bytes
        using errcode = 'check_violation';
    end if;
  end if;

  if new.tenant_id is not null
    and new.deleted_at is null
    and (
      tg_op = 'INSERT'
      or new.tenant_id is distinct from old.tenant_id
      or old.deleted_at is not null
      or new.file_size_bytes > old.file_size_bytes
    )
  then
    -- Without the lock, two concurrent transactions would each see enough space for their own file.
    select t.storage_limit_mb * 1048576
    into limit_bytes
    from iam.tenants as t
    where t.id = new.tenant_id
    for no key update;

    select coalesce(sum(m.file_size_bytes), 0)
    into used_bytes
    from media.media as m
    where m.tenant_id = new.tenant_id
      and m.deleted_at is null
      and m.id <> new.id;

    if used_bytes + new.file_size_bytes > limit_bytes then
      raise exception 'the storage limit of the tenant is exceeded'
        using errcode = 'check_violation',
              detail = format(
                '%s bytes are used, the file has %s, the limit is %s.', used_bytes, new.file_size_bytes, limit_bytes
              ),
              hint = 'Delete files, or ask for a higher limit.';
    end if;
  end if;

  return new;
end
$$;

comment on function media.check_file() is
  'Trigger ab_check: rejects a file whose format or size its type does not allow, and one that would exceed '
  'tenants.storage_limit_mb. Deleted files do not count.';

revoke all on function media.check_file() from public;

-- schema/media/_functions/delete_personal_files.sql.j2

create function media.delete_personal_files()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- The foreign key sets the owner of the other files to null; a file without tenant and owner belongs to the platform.
  delete from media.media as m
  where m.owner_id = old.id
    and m.tenant_id is null;

  return old;
end
$$;

comment on function media.delete_personal_files() is
  'Trigger ba_personal_files: deletes the files without a tenant of a person who is deleted.';

revoke all on function media.delete_personal_files() from public;

-- schema/media/media.sql.j2

create table media.media (
  id uuid not null default gen_random_uuid(),
  media_type_id uuid not null,
  tenant_id uuid,
  owner_id uuid default auth.uid(),
  visibility core.visibility_level not null default 'private',
  bucket text not null default 'media',
  object_key text not null default gen_random_uuid()::text,
  filename text not null,
  mime_type text not null,
  file_size_bytes bigint not null,
  content_sha256 bytea,
  status text not null default 'uploading',
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
  constraint media_bucket_check check (length(bucket) between 1 and 63),
  constraint media_object_key_check check (length(object_key) between 1 and 1024),
  constraint media_mime_type_check check (length(mime_type) <= 127),
  constraint media_alt_text_check check (length(alt_text) <= 1000),
  constraint media_filename_check check (length(filename) between 1 and 255),
  constraint media_file_size_bytes_check check (file_size_bytes > 0),
  constraint media_content_sha256_check check (octet_length(content_sha256) = 32),
  constraint media_status_check check (status in ('uploading', 'ready', 'quarantined', 'failed'))
);

-- The trigger that registers a row in core.resources follows with that table.
comment on table media.media is 'Metadata of an object; its content is not stored in PostgreSQL.';

comment on column media.media.object_key is 'Set by the server: a client that chose it could have any object delivered.';

comment on column media.media.status is 'Set to ready by the service that received and checked the object.';

comment on column media.media.tenant_id is 'Null: a private file of its owner, or a file of the platform.';

-- The upload service looks for a stored object with the same content.
create index media_content_sha256_idx
  on media.media (content_sha256)
  where content_sha256 is not null;

-- Files of a person; a person's files when the person is erased.
create index media_owner_id_idx
  on media.media (owner_id)
  where owner_id is not null;

-- Media library of a tenant; media.check_file(): storage used by a tenant.
create index media_tenant_id_media_type_id_created_at_idx
  on media.media (tenant_id, media_type_id, created_at desc) include (file_size_bytes, deleted_at);

-- Policy: public files.
create index media_visibility_idx
  on media.media (visibility)
  where deleted_at is null;

-- Foreign key: the referenced row is deleted or updated.
create index media_media_type_id_idx
  on media.media (media_type_id);

create trigger aa_touch
  before update on media.media
  for each row execute function core.touch();

create trigger ab_check
  before insert or update of media_type_id, mime_type, file_size_bytes, tenant_id, deleted_at on media.media
  for each row execute function media.check_file();

create trigger ba_personal_files
  before delete on iam.profiles
  for each row execute function media.delete_personal_files();

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

grant select, delete, insert (code, name, description, allowed_mime_types, max_file_size_bytes), update (code, name, description, allowed_mime_types, max_file_size_bytes) on media.media_types to authenticated;

grant select, insert, update, delete on media.media_types to service_role;

create policy media_types_select_anon on media.media_types
  for select to anon
  using (true);

grant select on media.media_types to anon;

-- The server sets storage location, checksum and status.
create policy media_session on media.media
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy media_select on media.media
  for select to authenticated
  using (
    (
      (owner_id = (select auth.uid()) and (tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))))
      or tenant_id = any (array(select authz.admin_tenant_ids()))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
      or (visibility = 'public' and (tenant_id is null or authz.tenant_is_open(tenant_id)))
      or (visibility = 'tenant' and tenant_id = any (array(select authz.tenant_ids())))
    )
    and deleted_at is null
  );

create policy media_insert on media.media
  for insert to authenticated
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('media.create'))))
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
      or (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('media.create'))))
      or tenant_id = any (array(select authz.tenants_with('media.edit')))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  )
  with check (
    (
      (owner_id = (select auth.uid()) and tenant_id is null and visibility = 'private')
      or (owner_id = (select auth.uid()) and tenant_id = any (array(select authz.tenants_with('media.create'))))
      or tenant_id = any (array(select authz.tenants_with('media.edit')))
      or (tenant_id is null and owner_id is null and (select authz.is_super_admin()))
    )
    and deleted_at is null
  );

grant select, insert (media_type_id, tenant_id, owner_id, visibility, filename, mime_type, file_size_bytes, alt_text), update (visibility, filename, alt_text) on media.media to authenticated;

grant select, insert, update, delete on media.media to service_role;

-- migrate:down

revoke usage on schema media from anon;
revoke usage on schema media from authenticated;
revoke usage on schema media from service_role;
drop trigger ba_personal_files on iam.profiles;

drop table
  media.media,
  media.media_types;

drop function media.reject_unseen_file();
drop function media.delete_personal_files();
drop function media.check_file();

-- 0003 core primitives
-- from: schema/core/_functions/capabilities.sql.j2, schema/core/_functions/may_delete.sql.j2, schema/core/_functions/move_subtree.sql.j2, schema/core/_functions/place_in_tree.sql.j2, schema/core/_functions/reads_catalog.sql.j2, schema/core/_functions/restore.sql.j2, schema/core/_functions/safe_text.sql.j2, schema/core/_functions/soft_delete.sql.j2, schema/core/_functions/touch.sql.j2, schema/core/_functions/uuid_v7.sql.j2
-- migrate:up

-- schema/core/_functions/capabilities.sql.j2

create function core.capabilities()
returns table (
  capability text,
  available boolean,
  detail text
)
language sql
stable
set search_path = ''
as $$
  select
    'extension ' || wanted.name,
    extension.oid is not null or offered.name is not null,
    case
      when extension.oid is not null then 'installed, version ' || extension.extversion
      when offered.name is not null then 'can be installed, version ' || offered.default_version
    end
  from unnest(
    array['btree_gist', 'pg_cron', 'pg_stat_statements', 'pg_trgm', 'pgaudit', 'vector']
  ) as wanted (name)
  left join pg_catalog.pg_extension as extension on extension.extname = wanted.name
  left join pg_catalog.pg_available_extensions as offered on offered.name = wanted.name

  union all

  select 'icu', exists (select from pg_catalog.pg_collation where collprovider = 'i'), null

  union all

  select 'uuidv7', to_regprocedure('uuidv7()') is not null, null

  union all

  select
    'supabase auth',
    not pg_has_role('aigym_owner', namespace.nspowner, 'usage'),
    'schema auth belongs to ' || pg_get_userbyid(namespace.nspowner)
  from pg_catalog.pg_namespace as namespace
  where namespace.nspname = 'auth'

  order by 1
$$;

comment on function core.capabilities() is
  'The optional capabilities of this server. Optional parts (trigram search, scheduled jobs, statement '
  'statistics) test them before use.';

revoke execute on function core.capabilities() from public;

grant execute on function core.capabilities() to service_role, aigym_job, aigym_monitor;

-- schema/core/_functions/may_delete.sql.j2

-- One branch per table and no dynamic SQL: the condition differs by table, and no argument becomes part of a statement. The
-- session levels are those of the tables' policies.
create function core.may_delete(p_table regclass, p_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  me uuid := auth.uid();
begin
  case p_table::text
    when 'ai.conversations' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from ai.conversations as t
        where t.id = p_id
          and t.user_id = me
          and (t.deleted_at is null or t.deleted_by = me)
      );

    when 'content.folders' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from content.folders as t
        where t.id = p_id
          and t.tenant_id = any (array(select authz.governed_with('content.delete')))
      );

    when 'content.items' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from content.items as t
        where t.id = p_id
          and (
            (
              t.owner_id = me
              and t.tenant_id = any (array(select authz.tenants_with('content.create')))
              and (t.deleted_at is null or t.deleted_by = me)
            )
            or t.tenant_id = any (array(select authz.governed_with('content.delete')))
            or (t.tenant_id is null and authz.is_super_admin())
          )
      );

    when 'iam.roles' then
      perform authz.assert_session('always');

      return authz.may_on_platform('platform.grant')
        and exists (
          select
          from iam.roles as t
          where t.id = p_id
            and not t.is_system
        );

    when 'iam.tenants' then
      perform authz.assert_session('always');

      return authz.may_on_platform('tenant.suspend');

    when 'iam.units' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from iam.units as t
        where t.id = p_id
          and t.tenant_id = any (array(select authz.governed_with('unit.manage')))
      );

    when 'media.media' then
      perform authz.assert_session('enrolled');

      return exists (
        select
        from media.media as t
        where t.id = p_id
          and (
            (
              t.owner_id = me
              and (t.tenant_id is null or t.tenant_id = any (array(select authz.tenants_with('media.create'))))
              and (t.deleted_at is null or t.deleted_by = me)
            )
            or t.tenant_id = any (array(select authz.governed_with('media.delete')))
            or (t.tenant_id is null and t.owner_id is null and authz.is_super_admin())
          )
      );

    else
      raise exception 'rows of % cannot be soft-deleted', p_table
        using errcode = 'invalid_parameter_value';
  end case;
end
$$;

comment on function core.may_delete(regclass, uuid) is
  'Whether the caller can soft-delete and restore a row; raises insufficient_privilege if the session lacks the '
  'level of the table. An owner restores what they deleted themselves. For core.soft_delete() and core.restore().';

revoke all on function core.may_delete(regclass, uuid) from public;

-- schema/core/_functions/move_subtree.sql.j2

create function core.move_subtree()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- An UPDATE of the parent column fires core.place_in_tree() for each child, and this trigger for its own children.
  execute format(
    'update %1$I.%2$I set %3$I = %3$I where %3$I = $1',
    tg_table_schema, tg_table_name, tg_argv[0]
  )
  using new.id;
  return null;
end
$$;

comment on function core.move_subtree() is
  'Trigger ac_tree_moved: updates the descendants of a row with a new parent, level by level. Its argument is '
  'the parent column.';

revoke all on function core.move_subtree() from public;

-- schema/core/_functions/place_in_tree.sql.j2

create function core.place_in_tree()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  parent uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
  parent_ancestors uuid[];
begin
  if parent is null then
    new.ancestor_ids := '{}';
    new.depth := 0;
    return new;
  end if;

  -- Serializes changes of parents: two concurrent changes can form a cycle although each alone does not.
  perform pg_advisory_xact_lock(hashtext('core.place_in_tree'), tg_relid::integer);

  execute format('select ancestor_ids from %I.%I where id = $1', tg_table_schema, tg_table_name)
  into parent_ancestors
  using parent;

  if new.id = parent or new.id = any (parent_ancestors) then
    raise exception 'a row of %.% cannot be its own ancestor', tg_table_schema, tg_table_name
      using errcode = 'check_violation';
  end if;

  -- If the parent does not exist, the value is null here and the foreign key raises the error.
  new.ancestor_ids := coalesce(parent_ancestors, '{}') || parent;
  new.depth := cardinality(new.ancestor_ids);
  return new;
end
$$;

comment on function core.place_in_tree() is
  'Trigger ac_tree: computes ancestor_ids and depth from the parent, overriding values sent by the client, '
  'and rejects a cycle. Its argument is the parent column.';

revoke all on function core.place_in_tree() from public;

-- schema/core/_functions/reads_catalog.sql.j2

create function core.reads_catalog()
returns boolean
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  -- Two statements, because other roles have no privileges in authz.
  if current_user <> 'authenticated' then
    return true;
  end if;

  return authz.session_ok('always') and (authz.is_super_admin() or authz.is_auditor());
end
$$;

comment on function core.reads_catalog() is
  'Whether the caller reads the views of the catalog: super admins and auditors with a second factor, and every role '
  'but authenticated that has the privilege.';

revoke all on function core.reads_catalog() from public;

grant execute on function core.reads_catalog() to authenticated, service_role, aigym_auditor, aigym_job;

-- schema/core/_functions/restore.sql.j2

create function core.restore(p_table regclass, p_id uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  removed_at timestamptz;
begin
  if not core.may_delete(p_table, p_id) then
    return false;
  end if;

  case p_table::text
    when 'ai.conversations' then
      update ai.conversations as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

    when 'content.folders' then
      select t.deleted_at
      into removed_at
      from content.folders as t
      where t.id = p_id
      for update;

      if removed_at is null then
        return false;
      end if;

      -- To the top level, if the folder above is still deleted.
      update content.folders as t
      set
        deleted_at = null,
        deleted_by = null,
        parent_id = (select above.id from content.folders as above where above.id = t.parent_id and above.deleted_at is null)
      where t.id = p_id;

      -- With the contents that were deleted with it.
      update content.folders as t
      set deleted_at = null, deleted_by = null
      where t.ancestor_ids @> array[p_id]
        and t.deleted_at = removed_at;

      update content.items as t
      set deleted_at = null, deleted_by = null
      where t.folder_id in (
          select f.id
          from content.folders as f
          where (f.id = p_id or f.ancestor_ids @> array[p_id])
            and f.deleted_at is null
        )
        and t.deleted_at = removed_at;

      return true;

    when 'content.items' then
      -- To the top level, if its folder is still deleted.
      update content.items as t
      set
        deleted_at = null,
        deleted_by = null,
        folder_id = (select f.id from content.folders as f where f.id = t.folder_id and f.deleted_at is null)
      where t.id = p_id
        and t.deleted_at is not null;

    when 'iam.roles' then
      update iam.roles as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'role.changed',
        action => 'restore',
        resource => 'iam.roles',
        risk => 'critical',
        details => jsonb_build_object('role', p_id)
      );

      return true;

    when 'iam.tenants' then
      update iam.tenants as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'tenant.restored', action => 'restore', resource => 'iam.tenants', risk => 'high', tenant => p_id
      );

      return true;

    when 'iam.units' then
      update iam.units as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;

    when 'media.media' then
      update media.media as t
      set deleted_at = null, deleted_by = null
      where t.id = p_id
        and t.deleted_at is not null;
  end case;

  return found;
end
$$;

comment on function core.restore(regclass, uuid) is
  'Restores a soft-deleted row, a folder with the contents that were deleted with it, and returns whether it '
  'was deleted. Requires the same permission as core.soft_delete(). Only a super admin can restore a tenant.';

revoke all on function core.restore(regclass, uuid) from public;

grant execute on function core.restore(regclass, uuid) to authenticated, service_role;

-- schema/core/_functions/safe_text.sql.j2

-- Removes control characters other than tab and line feed, and bidirectional formatting characters (U+202A–202E,
-- U+2066–2069), which can make a text look different from its content.
create function core.safe_text(value text, max_length integer default 10000)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select nullif(
    btrim(
      left(
        regexp_replace(
          normalize(value, nfc),
          '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]',
          '',
          'g'
        ),
        max_length
      ),
      E' \t\n'
    ),
    ''
  )
$$;

comment on function core.safe_text(text, integer) is
  'Normalizes a text for storage and display: NFC, without invisible control characters, trimmed, at most '
  'max_length characters; null if the result is empty.';

revoke execute on function core.safe_text(text, integer) from public;

grant execute on function core.safe_text(text, integer) to anon, authenticated, service_role, aigym_job;

-- schema/core/_functions/soft_delete.sql.j2

create function core.soft_delete(p_table regclass, p_id uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  me uuid := auth.uid();
begin
  if not core.may_delete(p_table, p_id) then
    return false;
  end if;

  case p_table::text
    when 'ai.conversations' then
      update ai.conversations as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

    when 'content.folders' then
      update content.folders as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

      -- With its contents, which core.restore() recognizes by the same time.
      if found then
        update content.folders as t
        set deleted_at = now(), deleted_by = me
        where t.ancestor_ids @> array[p_id]
          and t.deleted_at is null;

        update content.items as t
        set deleted_at = now(), deleted_by = me
        where t.folder_id in (
            select f.id from content.folders as f where f.id = p_id or f.ancestor_ids @> array[p_id]
          )
          and t.deleted_at is null;

        return true;
      end if;

    when 'content.items' then
      update content.items as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

    when 'iam.roles' then
      update iam.roles as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'role.changed',
        action => 'soft_delete',
        resource => 'iam.roles',
        risk => 'critical',
        details => jsonb_build_object('role', p_id)
      );

      return true;

    when 'iam.tenants' then
      -- Only after its closure, and without descendants, which would lose their administrators.
      update iam.tenants as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null
        and t.status = 'closing'
        and not exists (
          select
          from iam.tenants as below
          where below.parent_id = t.id
            and below.deleted_at is null
        );

      if not found then
        return false;
      end if;

      perform audit.log_security(
        'tenant.deleted', action => 'soft_delete', resource => 'iam.tenants', risk => 'high', tenant => p_id
      );

      return true;

    when 'iam.units' then
      update iam.units as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;

    when 'media.media' then
      update media.media as t
      set deleted_at = now(), deleted_by = me
      where t.id = p_id
        and t.deleted_at is null;
  end case;

  return found;
end
$$;

comment on function core.soft_delete(regclass, uuid) is
  'Soft-deletes a row, a folder with its contents, and returns whether it existed. A function is required, '
  'because the policies reject an UPDATE after which the caller can no longer read the row.';

revoke all on function core.soft_delete(regclass, uuid) from public;

grant execute on function core.soft_delete(regclass, uuid) to authenticated, service_role;

-- schema/core/_functions/touch.sql.j2

-- Called by the trigger aa_touch; `touch('row_version')` also increments row_version.
create function core.touch()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  new.updated_by := auth.uid();

  if tg_nargs > 0 and tg_argv[0] = 'row_version' then
    new.row_version := old.row_version + 1;
  end if;

  return new;
end
$$;

comment on function core.touch() is
  'Trigger: sets the person and time of the last change, overriding values of the statement.';

revoke execute on function core.touch() from public;

-- schema/core/_functions/uuid_v7.sql.j2

create function core.uuid_v7()
returns uuid
language sql
volatile
parallel safe
set search_path = ''
as $$
  select encode(
    set_bit(
      set_bit(
        overlay(
          uuid_send(gen_random_uuid())
          placing substring(
            int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3
          )
          from 1 for 6
        ),
        52, 1
      ),
      53, 1
    ),
    'hex'
  )::uuid
$$;

comment on function core.uuid_v7() is
  'Generates a key that sorts by its creation time (RFC 9562, version 7). Millisecond precision: keys of one '
  'millisecond have no order.';

-- A default is evaluated with the privileges of the inserting role.
revoke execute on function core.uuid_v7() from public;

grant execute on function core.uuid_v7() to anon, authenticated, service_role, aigym_job;

-- migrate:down

drop function core.uuid_v7();
drop function core.touch();
drop function core.soft_delete(regclass, uuid);
drop function core.safe_text(text, integer);
drop function core.restore(regclass, uuid);
drop function core.reads_catalog();
drop function core.place_in_tree();
drop function core.move_subtree();
drop function core.may_delete(regclass, uuid);
drop function core.capabilities();

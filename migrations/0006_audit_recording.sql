-- 0006 audit recording
-- from: schema/audit/_functions/address_or_null.sql.j2, schema/audit/_functions/caller.sql.j2, schema/audit/_functions/elevate.sql.j2, schema/audit/_functions/end_elevation.sql.j2, schema/audit/_functions/log_security.sql.j2, schema/audit/_functions/log_system.sql.j2, schema/audit/_functions/masked.sql.j2, schema/audit/_functions/network_of.sql.j2, schema/audit/_functions/record_direct_change.sql.j2, schema/audit/_functions/record_job.sql.j2, schema/audit/_functions/record_partition.sql.j2, schema/audit/_functions/record_row.sql.j2, schema/audit/_functions/reject_change.sql.j2, schema/audit/_functions/trusted_proxies.sql.j2, schema/audit/_functions/uuid_or_null.sql.j2
-- migrate:up

-- schema/audit/_functions/address_or_null.sql.j2

create function audit.address_or_null(value text)
returns inet
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return nullif(btrim(value), '')::inet;
exception
  when invalid_text_representation then
    return null;
end
$$;

comment on function audit.address_or_null(text) is
  'Converts a text to a network address; null if it is not one.';

revoke execute on function audit.address_or_null(text) from public;

-- schema/audit/_functions/caller.sql.j2

-- Claims are signed and trusted; headers and settings come from the client, so invalid values are omitted instead of
-- raising an error in the recorded statement. Called for every audited row, hence PL/pgSQL: its plans are cached.
--
-- Each proxy appends the address of its client to X-Forwarded-For, so the entry that the outermost trusted proxy wrote
-- is counted from the right; the client can write all entries to the left of it. The setting aigym.trusted_proxies is
-- the number of these proxies (default 1; 0: the header is ignored). A header with fewer entries came around a proxy.
create function audit.caller(
  out user_id uuid,
  out role_name text,
  out aal text,
  out session_id uuid,
  out acting_for uuid,
  out request_id uuid,
  out ip_address inet,
  out user_agent text,
  out reason text
)
language plpgsql
stable
set search_path = ''
as $$
declare
  claims constant jsonb := auth.jwt();
  headers constant jsonb := nullif(current_setting('request.headers', true), '');
  trusted_proxies constant integer := audit.trusted_proxies();
  forwarded text[];
begin
  user_id := auth.uid();
  role_name := coalesce(nullif(auth.role(), ''), session_user);
  aal := claims ->> 'aal';
  session_id := claims ->> 'session_id';
  acting_for := audit.uuid_or_null(current_setting('aigym.acting_for', true));
  request_id := audit.uuid_or_null(coalesce(current_setting('aigym.request_id', true), headers ->> 'x-request-id'));
  reason := left(nullif(current_setting('aigym.reason', true), ''), 500);
  ip_address := inet_client_addr();

  if headers is not null then
    user_agent := left(headers ->> 'user-agent', 500);
    forwarded := string_to_array(headers ->> 'x-forwarded-for', ',');

    if trusted_proxies > 0 and cardinality(forwarded) >= trusted_proxies then
      ip_address := coalesce(
        audit.address_or_null(forwarded[cardinality(forwarded) - trusted_proxies + 1]), ip_address
      );
    end if;
  end if;
end
$$;

comment on function audit.caller() is
  'The caller according to the token, the request headers and the connection. The address is the one that the '
  'outermost of the trusted proxies received the request from.';

revoke execute on function audit.caller() from public;

-- schema/audit/_functions/elevate.sql.j2

create function audit.elevate(
  scope text,
  reason text,
  target_user uuid default null,
  tenant uuid default null,
  ticket text default null,
  lasting interval default '1 hour'
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  opened uuid;
begin
  perform authz.assert_session('always');

  if not authz.is_super_admin() or not authz.may_on_platform('platform.elevate') then
    raise exception 'only a super admin with permission platform.elevate can open an elevation'
      using errcode = 'insufficient_privilege';
  end if;

  if scope = 'phi_read' and (target_user is null or target_user = auth.uid()) then
    raise exception 'an elevation of scope % requires another person as target_user', scope
      using errcode = 'invalid_parameter_value',
            hint = 'Pass target_user.';
  end if;

  if scope = 'tenant_support'
    and not exists (select from iam.tenants as t where t.id = elevate.tenant and t.deleted_at is null)
  then
    raise exception 'an elevation of scope % requires a tenant', scope
      using errcode = 'invalid_parameter_value',
            hint = 'Pass tenant.';
  end if;

  if lasting not between interval '1 minute' and interval '4 hours' then
    raise exception 'the duration of an elevation must be between one minute and four hours, not %', lasting
      using errcode = 'invalid_parameter_value';
  end if;

  insert into audit.security_contexts (
    user_id, tenant_id, scope, target_user_id, reason, ticket_ref, elevated_by, expires_at
  )
  values (
    auth.uid(), tenant, elevate.scope, target_user, core.safe_text(elevate.reason, 500), ticket, auth.uid(), now() + lasting
  )
  returning id into opened;

  perform audit.log_security(
    'elevation.opened',
    action => 'elevate',
    resource => scope,
    risk => 'critical',
    tenant => tenant,
    details => jsonb_build_object(
      'context', opened,
      'target_user', target_user,
      'ticket', ticket,
      'lasting', lasting
    )
  );

  return opened;
end
$$;

comment on function audit.elevate(text, text, uuid, uuid, text, interval) is
  'Opens a break-glass elevation: for a stated reason and at most four hours, a super admin with a second '
  'factor can read the personal rows of another person (scope phi_read) or administer one tenant (scope '
  'tenant_support). Returns the id of the elevation.';

revoke execute on function audit.elevate(text, text, uuid, uuid, text, interval) from public;

grant execute on function audit.elevate(text, text, uuid, uuid, text, interval) to authenticated;

-- schema/audit/_functions/end_elevation.sql.j2

create function audit.end_elevation(context uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  ended record;
begin
  perform authz.assert_session('always');

  update audit.security_contexts as elevation
  set revoked_at = now()
  where elevation.id = context
    and elevation.revoked_at is null
    and (elevation.user_id = auth.uid() or authz.is_super_admin())
  returning * into ended;

  if not found then
    return false;
  end if;

  perform audit.log_security(
    'elevation.ended',
    action => 'end_elevation',
    resource => ended.scope,
    risk => 'medium',
    tenant => ended.tenant_id,
    details => jsonb_build_object('context', ended.id, 'user', ended.user_id)
  );

  return true;
end
$$;

comment on function audit.end_elevation(uuid) is
  'Ends an elevation before it expires: the caller''s own or, for a super admin, any. Returns false if there '
  'is no active elevation with this id.';

revoke execute on function audit.end_elevation(uuid) from public;

grant execute on function audit.end_elevation(uuid) to authenticated;

-- schema/audit/_functions/log_security.sql.j2

-- Not executable through the API, because callers could forge events. Called by functions whose actions are recorded.
create function audit.log_security(
  event_code text,
  action text,
  resource text default null,
  outcome text default 'success',
  risk audit.risk_level default 'low',
  tenant uuid default null,
  details jsonb default '{}',
  person uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  event uuid;
  recorded uuid;
begin
  select event_type.id
  into event
  from audit.event_types as event_type
  where event_type.code = event_code;

  if event is null then
    raise exception 'event type % does not exist', event_code
      using errcode = 'no_data_found',
            hint = 'Add it to audit.event_types; the reference seed contains those that the functions use.';
  end if;

  insert into audit.security_audit (
    occurred_at,
    event_type_id,
    user_id,
    tenant_id,
    action,
    resource,
    outcome,
    risk_level,
    aal,
    ip_address,
    user_agent,
    session_id,
    request_id,
    details
  )
  select
    clock_timestamp(),
    event,
    coalesce(person, caller.user_id),
    tenant,
    left(log_security.action, 100),
    left(log_security.resource, 200),
    log_security.outcome,
    risk,
    caller.aal,
    case when risk >= 'high' then caller.ip_address else audit.network_of(caller.ip_address) end,
    caller.user_agent,
    caller.session_id,
    caller.request_id,
    coalesce(log_security.details, '{}')
  from audit.caller() as caller
  returning id into recorded;

  return recorded;
end
$$;

comment on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid) is
  'Inserts one event into audit.security_audit and returns its id. `person` is the account concerned '
  '(default: the caller).';

revoke execute on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid) from public;

grant execute on function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid)
  to service_role, aigym_job;

-- schema/audit/_functions/log_system.sql.j2

-- Not executable through the API except by the service role. Called by triggers and jobs.
create function audit.log_system(
  event_code text,
  severity core.severity,
  details jsonb default '{}',
  resource_type text default null,
  resource_id uuid default null,
  tenant uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  event uuid;
  recorded uuid;
begin
  select event_type.id
  into event
  from audit.event_types as event_type
  where event_type.code = event_code;

  if event is null then
    raise exception 'event type % does not exist', event_code
      using errcode = 'no_data_found',
            hint = 'Add it to audit.event_types; the reference seed contains those that the functions use.';
  end if;

  insert into audit.system_events (
    occurred_at, event_type_id, severity, resource_type, resource_id, tenant_id, event_data
  )
  values (
    clock_timestamp(),
    event,
    log_system.severity,
    log_system.resource_type,
    log_system.resource_id,
    tenant,
    coalesce(details, '{}')
  )
  returning id into recorded;

  return recorded;
end
$$;

comment on function audit.log_system(text, core.severity, jsonb, text, uuid, uuid) is
  'Inserts one event into audit.system_events and returns its id.';

revoke execute on function audit.log_system(text, core.severity, jsonb, text, uuid, uuid) from public;

grant execute on function audit.log_system(text, core.severity, jsonb, text, uuid, uuid) to service_role, aigym_job;

-- schema/audit/_functions/masked.sql.j2

create function audit.masked(row_values jsonb, columns text[])
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select row_values || coalesce(
    (
      select jsonb_object_agg(hidden.name, '[masked]')
      from unnest(columns) as hidden (name)
      where row_values ? hidden.name
    ),
    '{}'
  )
$$;

comment on function audit.masked(jsonb, text[]) is
  'Returns the row with the values of these columns masked, including null values, because their absence is '
  'also information.';

revoke execute on function audit.masked(jsonb, text[]) from public;

-- schema/audit/_functions/network_of.sql.j2

create function audit.network_of(address inet)
returns inet
language sql
immutable
parallel safe
set search_path = ''
as $$
  select network(
    set_masklen(address, least(masklen(address), case family(address) when 4 then 24 else 48 end))
  )::inet
$$;

comment on function audit.network_of(inet) is 'The /24 (IPv4) or /48 (IPv6) network of an address.';

revoke execute on function audit.network_of(inet) from public;

-- schema/audit/_functions/record_direct_change.sql.j2

-- Functions that change privileges run as aigym_owner and record an event of their own, so the trigger fires for all
-- other roles only; see the macro privileges().
create function audit.record_direct_change()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  current_row constant jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
begin
  perform audit.log_security(
    'privilege.changed',
    action => lower(tg_op),
    resource => tg_table_schema || '.' || tg_table_name,
    risk => 'high',
    tenant => (current_row ->> case when tg_table_name = 'tenants' then 'id' else 'tenant_id' end)::uuid,
    details => jsonb_build_object('id', current_row -> 'id', 'role_id', current_row -> 'role_id'),
    person => (current_row ->> 'user_id')::uuid
  );

  return null;
end
$$;

comment on function audit.record_direct_change() is
  'Trigger bz_direct_change: records a change of privileges that was not made by a function of this database.';

revoke all on function audit.record_direct_change() from public;

-- schema/audit/_functions/record_job.sql.j2

create function audit.record_job()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform audit.log_system(
    'job.failed',
    severity => 'error',
    details => jsonb_build_object('job', new.job_name, 'started_at', new.started_at),
    resource_type => 'ops.job_runs',
    resource_id => new.id
  );

  return null;
end
$$;

comment on function audit.record_job() is 'Trigger bz_job_failed: records the failure of a job in audit.system_events.';

revoke all on function audit.record_job() from public;

-- schema/audit/_functions/record_partition.sql.j2

create function audit.record_partition()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- UPDATE OF fires for a column that is assigned, also with the same value.
  if tg_op = 'UPDATE' and new.status = old.status then
    return null;
  end if;

  -- Migrations create partitions before the reference rows are loaded: there is no event type yet.
  if not exists (select from audit.event_types) then
    return null;
  end if;

  perform audit.log_system(
    case new.status
      when 'active' then 'partition.created'
      when 'detached' then 'partition.detached'
      when 'archived' then 'partition.archived'
      else 'partition.dropped'
    end,
    severity => 'info',
    details => jsonb_build_object('partition', new.partition_name),
    resource_type => new.schema_name || '.' || new.table_name
  );

  return null;
end
$$;

comment on function audit.record_partition() is
  'Trigger bz_partition: records a new status of a partition in audit.system_events.';

revoke all on function audit.record_partition() from public;

-- schema/audit/_functions/record_row.sql.j2

-- Called by the trigger zz_audit with the mode, the key columns, the masked columns, the column of the person concerned,
-- the tenant column and the counters. The card of the table defines them; the macro audit() renders them.
--
--   meta   who changed which columns of which row
--   diff   and, of an update, the old and new values of the changed columns
--   full   and, of an update, the whole row before and after
--
-- Generated columns are left out: a search vector would contain the words of a masked column. An update that changes only
-- counters or the columns of the trigger aa_touch returns first, because chat performs one with each message.
create function audit.record_row()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  mode constant text := tg_argv[0];
  key_columns constant text[] := string_to_array(tg_argv[1], ',');
  masked_columns constant text[] := string_to_array(tg_argv[2], ',');
  subject_column constant text := nullif(tg_argv[3], '');
  tenant_column constant text := nullif(tg_argv[4], '');
  ignored_columns constant text[] :=
    array['updated_at', 'updated_by', 'row_version'] || string_to_array(tg_argv[5], ',');
  generated_columns text[];
  changed text[];
  old_row jsonb;
  new_row jsonb;
  current_row jsonb;
  key_values jsonb;
  change_kind audit.action;
  schema_name text := tg_table_schema;
  table_name text := tg_table_name;
  caller record;
begin
  if tg_op = 'UPDATE' then
    old_row := to_jsonb(old) - ignored_columns;
    new_row := to_jsonb(new) - ignored_columns;

    if new_row = old_row then
      return null;
    end if;
  end if;

  select coalesce(array_agg(attribute.attname::text), '{}')
  into generated_columns
  from pg_catalog.pg_attribute as attribute
  where attribute.attrelid = tg_relid
    and attribute.attgenerated <> '';

  if tg_op <> 'INSERT' then
    old_row := to_jsonb(old) - generated_columns;
  end if;

  if tg_op <> 'DELETE' then
    new_row := to_jsonb(new) - generated_columns;
  end if;

  if tg_op = 'UPDATE' then
    select array_agg(field.key order by field.key)
    into changed
    from jsonb_each(new_row) as field
    where field.value is distinct from old_row -> field.key
      and field.key <> all (ignored_columns);

    if changed is null then
      return null;
    end if;
  end if;

  change_kind := case
    when tg_op <> 'UPDATE' then lower(tg_op)
    when 'deleted_at' <> all (changed) then 'update'
    when old_row ->> 'deleted_at' is null then 'soft_delete'
    when new_row ->> 'deleted_at' is null then 'restore'
    else 'update'
  end;
  current_row := coalesce(new_row, old_row);

  select jsonb_object_agg(key_column, current_row -> key_column)
  into key_values
  from unnest(key_columns) as key_column;

  if mode = 'meta' then
    old_row := null;
    new_row := null;
  elsif mode = 'diff' and tg_op = 'UPDATE' then
    select
      jsonb_object_agg(changed_column, old_row -> changed_column),
      jsonb_object_agg(changed_column, new_row -> changed_column)
    into old_row, new_row
    from unnest(changed) as changed_column;
  end if;

  if masked_columns <> '{}' then
    old_row := audit.masked(old_row, masked_columns);
    new_row := audit.masked(new_row, masked_columns);
  end if;

  -- The trigger of a partitioned table fires on the partition; the log contains the name of the table.
  if tg_table_schema = 'parts' then
    select namespace.nspname, class.relname
    into schema_name, table_name
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.oid = pg_partition_root(tg_relid);
  end if;

  caller := audit.caller();

  insert into audit.audit_log (
    occurred_at,
    schema_name,
    table_name,
    row_pk,
    action,
    actor_id,
    actor_role,
    acting_for,
    tenant_id,
    subject_user_id,
    changed_columns,
    old_values,
    new_values,
    session_id,
    request_id,
    ip_address,
    user_agent,
    reason,
    application_name
  )
  values (
    clock_timestamp(),
    schema_name,
    table_name,
    key_values,
    change_kind,
    caller.user_id,
    caller.role_name,
    caller.acting_for,
    (current_row ->> tenant_column)::uuid,
    (current_row ->> subject_column)::uuid,
    changed,
    old_row,
    new_row,
    caller.session_id,
    caller.request_id,
    audit.network_of(caller.ip_address),
    caller.user_agent,
    caller.reason,
    current_setting('application_name')
  );

  return null;
end
$$;

comment on function audit.record_row() is 'Trigger: records the change of a row in audit.audit_log.';

revoke execute on function audit.record_row() from public;

-- schema/audit/_functions/reject_change.sql.j2

create function audit.reject_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception '%.% is append-only: % is not allowed', tg_table_schema, tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege',
          hint = 'Remove old rows by retention, which detaches whole partitions.';
end
$$;

comment on function audit.reject_change() is
  'Trigger: rejects UPDATE, DELETE and TRUNCATE of an append-only table, for every role.';

revoke execute on function audit.reject_change() from public;

-- schema/audit/_functions/trusted_proxies.sql.j2

create function audit.trusted_proxies()
returns integer
language sql
stable
parallel safe
set search_path = ''
as $$
  select case
    when current_setting('aigym.trusted_proxies', true) ~ '^[0-9]{1,2}$'
      then current_setting('aigym.trusted_proxies', true)::integer
    else 1
  end
$$;

comment on function audit.trusted_proxies() is
  'The number of proxies between a client and this server that append to X-Forwarded-For: the setting '
  'aigym.trusted_proxies of the database, default 1.';

revoke execute on function audit.trusted_proxies() from public;

-- schema/audit/_functions/uuid_or_null.sql.j2

-- Without SET search_path, so that PostgreSQL can inline it.
create function audit.uuid_or_null(value text)
returns uuid
language sql
immutable
parallel safe
as $$
  select case
    when value operator(pg_catalog.~*) '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then value::pg_catalog.uuid
  end
$$;

comment on function audit.uuid_or_null(text) is 'Converts a text to a uuid; null if it is not one.';

revoke execute on function audit.uuid_or_null(text) from public;

-- migrate:down

drop function audit.uuid_or_null(text);
drop function audit.trusted_proxies();
drop function audit.reject_change();
drop function audit.record_row();
drop function audit.record_partition();
drop function audit.record_job();
drop function audit.record_direct_change();
drop function audit.network_of(inet);
drop function audit.masked(jsonb, text[]);
drop function audit.log_system(text, core.severity, jsonb, text, uuid, uuid);
drop function audit.log_security(text, text, text, text, audit.risk_level, uuid, jsonb, uuid);
drop function audit.end_elevation(uuid);
drop function audit.elevate(text, text, uuid, uuid, text, interval);
drop function audit.caller();
drop function audit.address_or_null(text);

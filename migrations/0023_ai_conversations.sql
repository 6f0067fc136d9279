-- 0023 ai conversations
-- from: schema/ai/_functions/append_message.sql.j2, schema/ai/_functions/append_reply.sql.j2, schema/ai/_functions/end_conversation.sql.j2, schema/ai/_functions/number_message.sql.j2, schema/ai/_functions/reject_unseen_agent.sql.j2, schema/ai/conversations.sql.j2, schema/ai/conversation_messages.sql.j2, policies/ai.sql.j2
-- migrate:up

-- schema/ai/_functions/append_message.sql.j2

create function ai.append_message(conversation_id uuid, content text)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  tenant_id uuid;
  number integer;
begin
  perform authz.assert_session('enrolled');

  select c.tenant_id
  into tenant_id
  from ai.conversations as c
  where c.id = append_message.conversation_id
    and c.user_id = auth.uid()
    and c.deleted_at is null
    and (c.tenant_id is null or c.tenant_id = any (array(select authz.tenant_ids())));

  if not found then
    raise exception 'the conversation does not exist'
      using errcode = 'insufficient_privilege';
  end if;

  if tenant_id is not null then
    perform authz.assert_permission('ai.use', tenant_id);
  end if;

  -- The trigger ah_sequence assigns the number; 1 only satisfies the NOT NULL constraint before it fires.
  insert into ai.conversation_messages as m (conversation_id, user_id, sequence_number, role, content)
  values (append_message.conversation_id, auth.uid(), 1, 'user', append_message.content)
  returning m.sequence_number
  into number;

  return number;
end
$$;

comment on function ai.append_message(uuid, text) is
  'Appends a message of the caller to their own conversation and returns its number. In a tenant the caller must '
  'be an active member with the permission ai.use.';

revoke all on function ai.append_message(uuid, text) from public;

grant execute on function ai.append_message(uuid, text) to authenticated;

-- schema/ai/_functions/append_reply.sql.j2

create function ai.append_reply(
  conversation_id uuid,
  content text,
  role text default 'assistant',
  model_id uuid default null,
  tokens_in integer default null,
  tokens_out integer default null,
  cost_usd numeric default null,
  latency_ms integer default null,
  metadata jsonb default '{}'
)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  number integer;
begin
  -- The trigger ah_sequence assigns the number; 1 only satisfies the NOT NULL constraint before it fires.
  insert into ai.conversation_messages as m (
    conversation_id, user_id, sequence_number, role, content, model_id, tokens_in, tokens_out, cost_usd, latency_ms,
    metadata
  )
  select
    c.id, c.user_id, 1, append_reply.role, append_reply.content, coalesce(append_reply.model_id, c.model_id),
    append_reply.tokens_in, append_reply.tokens_out, append_reply.cost_usd, append_reply.latency_ms,
    append_reply.metadata
  from ai.conversations as c
  where c.id = append_reply.conversation_id
    and c.deleted_at is null
  returning m.sequence_number
  into number;

  if number is null then
    raise exception 'the conversation does not exist'
      using errcode = 'insufficient_privilege';
  end if;

  return number;
end
$$;

comment on function ai.append_reply(uuid, text, text, uuid, integer, integer, numeric, integer, jsonb) is
  'Appends a message of the model, of a tool or of the system to a conversation, with its tokens and its cost, '
  'and returns its number.';

revoke all on function ai.append_reply(uuid, text, text, uuid, integer, integer, numeric, integer, jsonb) from public;

grant execute on function ai.append_reply(uuid, text, text, uuid, integer, integer, numeric, integer, jsonb) to service_role;

-- schema/ai/_functions/end_conversation.sql.j2

create function ai.end_conversation()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
begin
  new.ended_at := case when new.status in ('completed', 'archived') then coalesce(old.ended_at, now()) end;

  return new;
end
$$;

comment on function ai.end_conversation() is
  'Trigger ad_status: sets the end of a conversation that is completed or archived, and clears it when it is '
  'continued.';

revoke all on function ai.end_conversation() from public;

-- schema/ai/_functions/number_message.sql.j2

create function ai.number_message()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- The row lock serializes the numbering. A unique index cannot replace it: it must contain the partition key, so the
  -- same number could occur once per month.
  update ai.conversations
  set
    message_count = message_count + 1,
    last_message_at = greatest(last_message_at, new.created_at),
    total_tokens = total_tokens + coalesce(new.tokens_in, 0) + coalesce(new.tokens_out, 0),
    total_cost_usd = total_cost_usd + coalesce(new.cost_usd, 0)
  where id = new.conversation_id
    and user_id = new.user_id
    and deleted_at is null
  returning message_count, tenant_id
  into new.sequence_number, new.tenant_id;

  if not found then
    raise exception 'the conversation does not exist'
      using errcode = 'insufficient_privilege';
  end if;

  return new;
end
$$;

comment on function ai.number_message() is
  'Trigger ah_sequence: sets the sequence number of a message and the tenant of its conversation, and adds its '
  'tokens and cost to the conversation.';

revoke all on function ai.number_message() from public;

-- schema/ai/_functions/reject_unseen_agent.sql.j2

create function ai.reject_unseen_agent()
returns trigger
language plpgsql
security invoker
set search_path = ''
as $$
begin
  -- Runs with the caller's privileges, so the policies of content.ai_agents determine the visible agents.
  if new.agent_id is not null
    and (tg_op = 'INSERT' or new.agent_id is distinct from old.agent_id)
    and not exists (
      select
      from content.ai_agents as a
      where a.item_id = new.agent_id
        -- An agent of a tenant answers in conversations of the tenant, where membership and ai.use are tested.
        and (a.tenant_id is null or a.tenant_id = new.tenant_id or a.audience = 'everyone')
    )
  then
    raise exception 'the agent does not exist'
      using errcode = 'foreign_key_violation';
  end if;

  return new;
end
$$;

comment on function ai.reject_unseen_agent() is
  'Trigger ab_agent: rejects a conversation with an agent that the caller cannot read, or that is of another '
  'tenant and not public; otherwise the conversation would use the agent''s prompt. A trigger and not a policy, so '
  'that existing conversations remain when an agent is withdrawn.';

revoke all on function ai.reject_unseen_agent() from public;

-- schema/ai/conversations.sql.j2

create table ai.conversations (
  id uuid not null default core.uuid_v7(),
  user_id uuid not null default auth.uid(),
  tenant_id uuid,
  agent_id uuid,
  model_id uuid,
  mode ai.conversation_mode not null default 'sandbox',
  title text,
  summary text,
  status ai.conversation_status not null default 'active',
  context jsonb not null default '{}',
  message_count integer not null default 0,
  total_tokens bigint not null default 0,
  total_cost_usd numeric(14, 6) not null default 0,
  experiment_variant_id uuid,
  started_at timestamptz not null default now(),
  last_message_at timestamptz not null default now(),
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  deleted_at timestamptz,
  deleted_by uuid,
  is_active boolean not null generated always as (deleted_at is null) stored,
  row_version integer not null default 1,
  constraint conversations_pkey primary key (id),
  constraint conversations_id_user_id_key unique (id, user_id),
  constraint conversations_user_id_fkey foreign key (user_id) references iam.profiles (id) on delete cascade,
  constraint conversations_tenant_id_fkey foreign key (tenant_id) references iam.tenants (id) on delete cascade,
  constraint conversations_agent_id_fkey foreign key (agent_id) references content.ai_agents (item_id) on delete set null,
  constraint conversations_model_id_fkey foreign key (model_id) references ai.models (id) on delete set null,
  constraint conversations_title_check check (length(title) <= 300),
  constraint conversations_summary_check check (length(summary) <= 10000),
  constraint conversations_context_check
    check (jsonb_typeof(context) = 'object' and pg_column_size(context) <= 65536),
  constraint conversations_message_count_check check (message_count >= 0),
  constraint conversations_total_tokens_check check (total_tokens >= 0),
  constraint conversations_total_cost_usd_check check (total_cost_usd >= 0)
) with (fillfactor = 85);

comment on table ai.conversations is
  'Belongs to the person, also inside a tenant: admins of the tenant cannot read its messages.';

comment on column ai.conversations.message_count is
  'The last sequence number assigned; maintained by the trigger on ai.conversation_messages.';

comment on column ai.conversations.last_message_at is
  'Without an index: each message changes it, and an update of columns without an index writes no index entry. '
  'A person has few conversations, which are sorted when they are listed.';

-- The foreign key to ai.experiment_variants follows with that table.
comment on column ai.conversations.experiment_variant_id is 'The experiment variant assigned to the person.';

-- A person's conversations: the sidebar, and all of them when the person is erased.
-- Foreign key: the referenced row is deleted or updated.
create index conversations_user_id_idx
  on ai.conversations (user_id);

-- Usage report of a tenant.
create index conversations_tenant_id_started_at_idx
  on ai.conversations (tenant_id, started_at desc)
  where tenant_id is not null;

-- Retention job: the last message is no older than the start.
create index conversations_started_at_idx
  on ai.conversations (started_at)
  where deleted_at is null;

-- Foreign key: the referenced row is deleted or updated.
create index conversations_agent_id_idx
  on ai.conversations (agent_id)
  where agent_id is not null;

-- Foreign key: the referenced row is deleted or updated.
create index conversations_model_id_idx
  on ai.conversations (model_id)
  where model_id is not null;

-- Not for counters: row_version detects edits of the person, not the next message.
create trigger aa_touch
  before update of agent_id, model_id, mode, title, summary, status, context, ended_at, deleted_at on ai.conversations
  for each row execute function core.touch('row_version');

create trigger ad_status
  before update of status on ai.conversations
  for each row execute function ai.end_conversation();

create trigger ab_agent
  before insert or update of agent_id on ai.conversations
  for each row execute function ai.reject_unseen_agent();

create trigger zz_audit
  after insert or update or delete on ai.conversations
  for each row execute function audit.record_row(
    'meta',
    'id',
    'title,summary,context',
    'user_id',
    'tenant_id',
    'message_count,total_tokens,total_cost_usd,last_message_at'
  );

alter table ai.conversations enable row level security;

revoke all on ai.conversations from public;

-- schema/ai/conversation_messages.sql.j2

create table ai.conversation_messages (
  id uuid not null default core.uuid_v7(),
  conversation_id uuid not null,
  user_id uuid not null,
  tenant_id uuid,
  sequence_number integer not null,
  parent_message_id uuid,
  role ai.message_role not null,
  content text not null,
  content_format text not null default 'markdown',
  model_id uuid,
  tokens_in integer,
  tokens_out integer,
  latency_ms integer,
  cost_usd numeric(14, 6),
  metadata jsonb not null default '{}',
  redacted_at timestamptz,
  created_at timestamptz not null default now(),
  constraint conversation_messages_pkey primary key (id, created_at),
  constraint conversation_messages_conversation_id_sequence_number_key
    unique (conversation_id, sequence_number, created_at),
  constraint conversation_messages_conversation_id_user_id_fkey
    foreign key (conversation_id, user_id) references ai.conversations (id, user_id) on delete cascade,
  constraint conversation_messages_sequence_number_check check (sequence_number > 0),
  constraint conversation_messages_content_check check (length(btrim(content)) > 0 and length(content) <= 400000),
  constraint conversation_messages_content_format_check check (content_format in ('markdown', 'text')),
  constraint conversation_messages_metadata_check
    check (jsonb_typeof(metadata) = 'object' and pg_column_size(metadata) <= 32768),
  constraint conversation_messages_tokens_in_check check (tokens_in >= 0),
  constraint conversation_messages_tokens_out_check check (tokens_out >= 0),
  constraint conversation_messages_latency_ms_check check (latency_ms >= 0),
  constraint conversation_messages_cost_usd_check check (cost_usd >= 0)
) partition by range (created_at);

comment on table ai.conversation_messages is
  'Contains owner and tenant of the conversation, so that the policy needs no join. Written by functions: '
  'ai.append_message() for people, ai.append_reply() for the service. Rows are not updated.';

comment on column ai.conversation_messages.user_id is
  'The owner of the conversation, also for messages of the model; part of the foreign key.';

comment on column ai.conversation_messages.sequence_number is
  'Assigned under the row lock of the conversation, without gaps.';

comment on column ai.conversation_messages.tenant_id is
  'The tenant of the conversation, set by the trigger ah_sequence. No role can change the tenant of a '
  'conversation.';

-- Policy, and the export of one person.
create index conversation_messages_user_id_created_at_idx
  on ai.conversation_messages (user_id, created_at desc);

-- Time ranges within a month.
create index conversation_messages_created_at_idx on ai.conversation_messages using brin (created_at);

-- Row triggers of a partitioned table are created on every partition.
create trigger ah_sequence
  before insert on ai.conversation_messages
  for each row execute function ai.number_message();

alter table ai.conversation_messages enable row level security;

revoke all on ai.conversation_messages from public;

select ops.ensure_partitions('ai.conversation_messages', every => 'month', keep => 24);

-- policies/ai.sql.j2

grant usage on schema ai to authenticated;
grant usage on schema ai to service_role;

create policy providers_session on ai.providers
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy providers_select on ai.providers
  for select to authenticated
  using (true);

create policy providers_insert on ai.providers
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy providers_update on ai.providers
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy providers_delete on ai.providers
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on ai.providers to authenticated;
grant select, insert, update, delete on ai.providers to service_role;

create policy models_session on ai.models
  as restrictive for all to authenticated
  using ((select authz.session_ok('none')));

create policy models_select on ai.models
  for select to authenticated
  using (true);

create policy models_insert on ai.models
  for insert to authenticated
  with check ((select authz.is_super_admin()));

create policy models_update on ai.models
  for update to authenticated
  using ((select authz.is_super_admin()))
  with check ((select authz.is_super_admin()));

create policy models_delete on ai.models
  for delete to authenticated
  using ((select authz.is_super_admin()));

grant select, insert, update, delete on ai.models to authenticated;
grant select, insert, update, delete on ai.models to service_role;

create policy conversations_session on ai.conversations
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy conversations_select on ai.conversations
  for select to authenticated
  using (user_id = any (array(select authz.readable_user_ids('conversations'))) and (user_id <> (select auth.uid()) or tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))) and deleted_at is null);

create policy conversations_insert on ai.conversations
  for insert to authenticated
  with check (user_id = (select auth.uid()) and (tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))) and (tenant_id is null or tenant_id = any (array(select authz.tenants_with('ai.use')))) and deleted_at is null);

create policy conversations_update on ai.conversations
  for update to authenticated
  using (user_id = (select auth.uid()) and (tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))) and deleted_at is null)
  with check (user_id = (select auth.uid()) and (tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))) and deleted_at is null);

grant select, insert (tenant_id, agent_id, model_id, mode, title, context), update (agent_id, model_id, mode, title, summary, status, context) on ai.conversations to authenticated;

grant select, insert, delete, update (agent_id, model_id, mode, title, summary, status, context, ended_at, experiment_variant_id) on ai.conversations to service_role;

create policy conversation_messages_session on ai.conversation_messages
  as restrictive for all to authenticated
  using ((select authz.session_ok('enrolled')));

create policy conversation_messages_select on ai.conversation_messages
  for select to authenticated
  using (user_id = any (array(select authz.readable_user_ids('conversations'))) and (user_id <> (select auth.uid()) or tenant_id is null or tenant_id = any (array(select authz.tenant_ids()))));

grant select on ai.conversation_messages to authenticated;

grant select on ai.conversation_messages to service_role;

-- migrate:down

revoke select, insert, update, delete on ai.models from authenticated;
revoke select, insert, update, delete on ai.models from service_role;
drop policy models_delete on ai.models;
drop policy models_update on ai.models;
drop policy models_insert on ai.models;
drop policy models_select on ai.models;
drop policy models_session on ai.models;
revoke select, insert, update, delete on ai.providers from authenticated;
revoke select, insert, update, delete on ai.providers from service_role;
drop policy providers_delete on ai.providers;
drop policy providers_update on ai.providers;
drop policy providers_insert on ai.providers;
drop policy providers_select on ai.providers;
drop policy providers_session on ai.providers;
revoke usage on schema ai from authenticated;
revoke usage on schema ai from service_role;

drop table
  ai.conversation_messages,
  ai.conversations;

-- The metadata of their partitions is deleted with the tables.
delete from ops.partition_strategies
where (schema_name, table_name) in (
  ('ai', 'conversation_messages')
);

drop function ai.reject_unseen_agent();
drop function ai.number_message();
drop function ai.end_conversation();
drop function ai.append_reply(uuid, text, text, uuid, integer, integer, numeric, integer, jsonb);
drop function ai.append_message(uuid, text);

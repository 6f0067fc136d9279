-- 50,000 people, 20,000 tenants (one of 20,000 members), 200,000 items, 1,000,000 messages and 500,000 log rows.
-- :scale multiplies these numbers. Ids are MD5 sums of names: u1 is a person, t1 a tenant. Triggers are off: rows are
-- written as they would have been left.
set session_replication_role = replica;
set synchronous_commit = off;

create function pg_temp.n(full_count integer) returns integer
language sql as $$ select greatest(40, (full_count * {scale})::integer) $$;

create function pg_temp.id(prefix text, number bigint) returns uuid
language sql immutable as $$ select md5(prefix || number)::uuid $$;

insert into auth.users (id, email, created_at)
select pg_temp.id('u', g), 'u' || g || '@load.test', now()
from generate_series(1, pg_temp.n(50000)) as g;

insert into iam.profiles (id, email, full_name, display_name, visibility, last_seen_at)
select
  pg_temp.id('u', g), 'u' || g || '@load.test', 'Full ' || g, 'Person ' || md5(g::text),
  case when g % 20 = 0 then 'public' else 'private' end, now() - g * interval '1 minute'
from generate_series(1, pg_temp.n(50000)) as g;

insert into iam.tenants (id, kind, slug, name, visibility, status)
select
  pg_temp.id('t', g), 'community', 't' || g, 'Tenant ' || g,
  case when g % 50 = 0 then 'public' else 'private' end, 'active'
from generate_series(1, pg_temp.n(20000)) as g;

insert into iam.communities (id) select id from iam.tenants where slug ~ '^t[0-9]+$';

-- Two fifths of the people are members of t1; each person is a member of one of the next tenants.
insert into iam.memberships (tenant_id, user_id)
select pg_temp.id('t', 1), pg_temp.id('u', g)
from generate_series(1, pg_temp.n(20000)) as g
union
select pg_temp.id('t', 2 + g % (pg_temp.n(1000) - 1)), pg_temp.id('u', g)
from generate_series(1, pg_temp.n(50000)) as g;

insert into iam.user_roles (user_id, role_id, tenant_id)
select m.user_id, r.id, m.tenant_id
from iam.memberships as m
join iam.tenants as t on t.id = m.tenant_id and t.slug ~ '^t[0-9]+$'
cross join iam.roles as r
where r.code = 'member';

-- u1 edits content in t1, u3 administers it, u4 is a super admin, u5 an auditor.
insert into iam.user_roles (user_id, role_id, tenant_id)
select pg_temp.id('u', person), r.id, case when in_tenant then pg_temp.id('t', 1) end
from (values (1, 'content_editor', true), (3, 'community_admin', true), (4, 'super_admin', false), (5, 'auditor', false))
  as given (person, code, in_tenant)
join iam.roles as r on r.code = given.code;

-- u4 supports t1.
insert into audit.security_contexts (user_id, tenant_id, scope, reason, elevated_by, expires_at)
values (
  pg_temp.id('u', 4), pg_temp.id('t', 1), 'tenant_support', 'A question of the tenant.', pg_temp.id('u', 4),
  now() + interval '4 hours'
);

insert into iam.units (id, tenant_id, kind, name, parent_id, ancestor_ids, depth)
select
  pg_temp.id('n', g), pg_temp.id('t', case when g % 2 = 0 then 1 else 1 + g % pg_temp.n(1000) end), 'team', 'Unit ' || g,
  case when g > 100 then pg_temp.id('n', g / 100) end,
  case when g > 100 then array[pg_temp.id('n', g / 100)] else '{}' end, (g > 100)::integer
from generate_series(1, pg_temp.n(20000)) as g;

insert into iam.unit_members (tenant_id, unit_id, user_id)
select u.tenant_id, u.id, pg_temp.id('u', g)
from generate_series(1, pg_temp.n(20000)) as g
join iam.units as u on u.id = pg_temp.id('n', g);

insert into content.folders (id, tenant_id, repository_id, name, parent_id, ancestor_ids, depth)
select
  pg_temp.id('f', g), pg_temp.id('t', 1 + g % pg_temp.n(1000)), r.id, 'Folder ' || g,
  case when g > 100 then pg_temp.id('f', g / 100) end,
  case when g > 100 then array[pg_temp.id('f', g / 100)] else '{}' end, (g > 100)::integer
from generate_series(1, pg_temp.n(20000)) as g
cross join content.repositories as r
where r.content_type = 'document';

insert into content.items (
  id, repository_id, content_type, tenant_id, owner_id, title, description, status, visibility, published_at, metadata, created_at
)
select
  pg_temp.id('i', g), r.id, r.content_type,
  case when g % 200 = 0 then null else pg_temp.id('t', case when g / 5 % 5 = 0 then 1 else 2 + g % (pg_temp.n(1000) - 1) end) end,
  case when g % 200 <> 0 then pg_temp.id('u', 1 + (g::bigint * 7919) % pg_temp.n(50000)) end,
  'Title ' || g || ' ' || (array['strength', 'yoga', 'sales', 'onboarding', 'safety', 'python'])[1 + g % 6],
  'About ' || (array['alpha', 'beta', 'gamma', 'delta'])[1 + g % 4] || ' word' || g % 5000,
  case when g / 25 % 5 < 4 then 'published' else 'draft' end::content.content_status,
  case when g % 40 = 0 then 'public' else 'tenant' end,
  case when g / 25 % 5 < 4 then now() - g * interval '1 minute' end,
  jsonb_build_object('level', g % 5, 'topic', 't' || g % 500),
  now() - g * interval '1 minute'
from generate_series(1, pg_temp.n(200000)) as g
join (select id, content_type, row_number() over (order by code) - 1 as place from content.repositories) as r on r.place = g % 5;

insert into content.documents (item_id, tenant_id, owner_id, audience, body)
select i.id, i.tenant_id, i.owner_id, i.audience, i.title || ' ' || md5(i.id::text) || ' lorem ipsum dolor'
from content.items as i
where i.content_type = 'document'
  and not exists (select from content.documents as d where d.item_id = i.id);

insert into content.ai_agents (item_id, tenant_id, owner_id, audience, system_prompt)
select i.id, i.tenant_id, i.owner_id, i.audience, 'You answer questions.'
from content.items as i
where i.content_type = 'ai_agent'
  and not exists (select from content.ai_agents as d where d.item_id = i.id);

insert into content.videos (item_id, tenant_id, owner_id, audience, external_url, transcript)
select i.id, i.tenant_id, i.owner_id, i.audience, 'https://video.example/' || i.id, 'welcome ' || i.title
from content.items as i
where i.content_type = 'video'
  and not exists (select from content.videos as d where d.item_id = i.id);

insert into content.prompts (item_id, tenant_id, owner_id, audience, template)
select i.id, i.tenant_id, i.owner_id, i.audience, 'Summarise the text.'
from content.items as i
where i.content_type = 'prompt'
  and not exists (select from content.prompts as d where d.item_id = i.id);

insert into content.automations (item_id, tenant_id, owner_id, audience, trigger_type, event_type)
select i.id, i.tenant_id, i.owner_id, i.audience, 'event', 'item.published'
from content.items as i
where i.content_type = 'automation'
  and not exists (select from content.automations as d where d.item_id = i.id);

insert into ai.conversations (id, user_id, tenant_id, title, last_message_at)
select
  pg_temp.id('c', g), pg_temp.id('u', 1 + g % pg_temp.n(50000)), null, 'Conversation ' || g, now() - g * interval '1 second'
from generate_series(1, pg_temp.n(100000)) as g;

insert into ai.conversation_messages (conversation_id, user_id, sequence_number, role, content, created_at)
select
  pg_temp.id('c', 1 + g % pg_temp.n(100000)),
  pg_temp.id('u', 1 + (1 + g % pg_temp.n(100000)) % pg_temp.n(50000)),
  1 + g / pg_temp.n(100000),
  case when g % 2 = 0 then 'user' else 'assistant' end::ai.message_role,
  'message ' || g || ' ' || md5(g::text),
  date_trunc('month', now()) + g * interval '80 days' / pg_temp.n(1000000)
from generate_series(1, pg_temp.n(1000000)) as g;

insert into audit.audit_log (
  schema_name, table_name, row_pk, action, actor_id, tenant_id, subject_user_id, occurred_at
)
select
  'content', 'items', jsonb_build_object('id', pg_temp.id('i', g)), 'update', pg_temp.id('u', 1 + g % pg_temp.n(50000)),
  pg_temp.id('t', case when g % 50 = 0 then 1 else 1 + g % pg_temp.n(1000) end), pg_temp.id('u', 1 + g % pg_temp.n(50000)),
  date_trunc('month', now()) + (g % 100) * interval '1 day'
from generate_series(1, pg_temp.n(500000)) as g;

insert into audit.security_audit (event_type_id, user_id, tenant_id, action, outcome, risk_level, ip_address, occurred_at)
select
  e.id, pg_temp.id('u', 1 + g % pg_temp.n(50000)), pg_temp.id('t', 1 + g % pg_temp.n(1000)), 'load',
  case when g % 100 = 0 then 'failure' else 'success' end,
  case when g % 200 = 0 then 'high' else 'low' end::audit.risk_level,
  ('198.51.' || g % 100 || '.0/24')::inet,
  date_trunc('month', now()) + g * interval '100 days' / pg_temp.n(200000)
from generate_series(1, pg_temp.n(200000)) as g
join (select id, row_number() over (order by code) - 1 as place, count(*) over () as total from audit.event_types) as e
  on e.place = g % e.total;

insert into media.media (
  media_type_id, tenant_id, owner_id, visibility, bucket, object_key, filename, mime_type, file_size_bytes
)
select
  t.id, case when g % 3 > 0 then pg_temp.id('t', 1 + g % pg_temp.n(1000)) end, pg_temp.id('u', 1 + g % pg_temp.n(50000)),
  case when g % 3 = 0 then 'private' when g % 40 = 0 then 'public' when g % 2 = 0 then 'tenant' else 'private' end,
  'load', 'k' || g, 'f' || g || '.png', 'image/png', 1000
from generate_series(1, pg_temp.n(200000)) as g
cross join media.media_types as t
where t.code = 'image';

reset session_replication_role;

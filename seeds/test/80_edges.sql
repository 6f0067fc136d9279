-- Edge cases: without each of these rows a mutant of a policy or function would survive
-- `aigym-db test --mutants`.
--
--   a027 super admin and creator in A whose profile is suspended
--   a028 super admin temporarily    a030 auditor temporarily
--   a029 admin below B temporarily, manager in B
--   a041 super admin with elevations of scope tenant_support for A and for the suspended tenant
--   a042 owner of A    a043 without memberships, with an address of A    a044 the same, and suspended in A
insert into auth.users (id, aud, role, email, email_confirmed_at, created_at, updated_at)
select
  person.id::uuid, 'authenticated', 'authenticated', person.email,
  '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00'
from (
  values
    ('00000000-0000-4000-8000-00000000a027', 'suspended.super@example.test'),
    ('00000000-0000-4000-8000-00000000a028', 'timed.super@example.test'),
    ('00000000-0000-4000-8000-00000000a029', 'timed.admin@example.test'),
    ('00000000-0000-4000-8000-00000000a030', 'timed.auditor@example.test'),
    ('00000000-0000-4000-8000-00000000a041', 'supporting.admin@example.test'),
    ('00000000-0000-4000-8000-00000000a042', 'owner.a@example.test'),
    ('00000000-0000-4000-8000-00000000a043', 'new.person@a.example.test'),
    ('00000000-0000-4000-8000-00000000a044', 'barred@a.example.test')
) as person (id, email);

update iam.profiles
set
  display_name = initcap(replace(split_part(email, '@', 1), '.', ' ')),
  status = case when id = '00000000-0000-4000-8000-00000000a027' then 'suspended' else 'active' end,
  visibility = 'private'
where id in (
  '00000000-0000-4000-8000-00000000a027', '00000000-0000-4000-8000-00000000a028', '00000000-0000-4000-8000-00000000a029',
  '00000000-0000-4000-8000-00000000a030', '00000000-0000-4000-8000-00000000a041', '00000000-0000-4000-8000-00000000a042',
  '00000000-0000-4000-8000-00000000a043', '00000000-0000-4000-8000-00000000a044'
);

-- A suspended tenant is closed to all people, although it is public and has members; so is the open one below it to those
-- who administer the suspended one only.
insert into iam.tenants (id, kind, slug, name, parent_id, status, visibility)
values
  (
    '00000000-0000-4000-8000-00000000b011', 'community', 'world-frozen', 'World Frozen', null, 'suspended', 'public'
  ),
  (
    '00000000-0000-4000-8000-00000000b012', 'community', 'world-frozen-below', 'World Frozen Below',
    '00000000-0000-4000-8000-00000000b011', 'active', 'private'
  ),
  ('00000000-0000-4000-8000-00000000b013', 'community', 'world-closing', 'World Closing', null, 'closing', 'private');

insert into iam.communities (id, project_name)
values
  ('00000000-0000-4000-8000-00000000b011', 'Project Frozen'),
  ('00000000-0000-4000-8000-00000000b012', 'Project Frozen Below'),
  ('00000000-0000-4000-8000-00000000b013', 'Project Closing');

insert into iam.units (id, tenant_id, kind, name)
values
  ('00000000-0000-4000-8000-00000000c013', '00000000-0000-4000-8000-00000000b011', 'team', 'Unit of the suspended tenant'),
  ('00000000-0000-4000-8000-00000000c014', '00000000-0000-4000-8000-00000000b012', 'team', 'Unit below it');

-- The former admin of A is a member of B, without the role admin.
-- The memberships of the former admin of A and of the member of A East below B have expired; that of the timed admin in B has
-- not.
insert into iam.memberships (id, tenant_id, user_id, status, joined_at, expires_at)
select
  ('00000000-0000-4000-8000-0000d' || right(member.tenant, 3) || '0' || right(member.person, 3))::uuid,
  ('00000000-0000-4000-8000-00000000' || member.tenant)::uuid,
  ('00000000-0000-4000-8000-00000000' || member.person)::uuid,
  'active',
  '2026-01-05 08:00:00+00',
  member.expires_at::timestamptz
from (
  values
    ('b001', 'a027', null),
    ('b001', 'a042', null),
    ('b001', 'a021', '2026-01-06 08:00:00+00'),
    ('b002', 'a012', null),
    ('b002', 'a029', '2099-01-01 00:00:00+00'),
    ('b008', 'a029', null),
    ('b008', 'a023', '2026-01-06 08:00:00+00'),
    ('b009', 'a012', '2026-01-06 08:00:00+00'),
    ('b011', 'a014', null),
    ('b011', 'a018', null)
) as member (tenant, person, expires_at);

insert into iam.user_roles (id, user_id, role_id, tenant_id, granted_at, expires_at)
select
  ('00000000-0000-4000-8000-0000e8' || held.ordinal || '00' || right(held.person, 3))::uuid,
  ('00000000-0000-4000-8000-00000000' || held.person)::uuid,
  r.id,
  ('00000000-0000-4000-8000-00000000' || held.tenant)::uuid,
  '2026-01-05 08:00:00+00',
  held.expires_at::timestamptz
from (
  values
    (1, 'a027', 'super_admin', null, null),
    (2, 'a027', 'content_creator', 'b001', null),
    (1, 'a028', 'super_admin', null, '2099-01-01 00:00:00+00'),
    (1, 'a030', 'auditor', null, '2099-01-01 00:00:00+00'),
    (2, 'a029', 'community_admin', 'b008', '2099-01-01 00:00:00+00'),
    (3, 'a029', 'manager', 'b002', null),
    (4, 'a012', 'owner', 'b009', null),
    (5, 'a014', 'owner', 'b011', null),
    (1, 'a041', 'super_admin', null, null),
    (1, 'a042', 'owner', 'b001', null)
) as held (ordinal, person, role_code, tenant, expires_at)
join iam.roles as r on r.code = held.role_code;

-- Allowed temporarily, and allowed to all managers of B.
insert into iam.permission_grants (id, user_id, role_id, permission_id, tenant_id, effect, granted_at, expires_at)
select
  exception.id::uuid, exception.user_id::uuid, r.id, p.id, exception.tenant_id::uuid, 'allow', '2026-01-05 08:00:00+00',
  exception.expires_at::timestamptz
from (
  values
    (
      '00000000-0000-4000-8000-000000f0a026', '00000000-0000-4000-8000-00000000a026', null, 'content.create',
      '00000000-0000-4000-8000-00000000b001', '2099-01-01 00:00:00+00'
    ),
    (
      '00000000-0000-4000-8000-000000f0e024', '00000000-0000-4000-8000-00000000a024', null, 'media.edit',
      '00000000-0000-4000-8000-00000000b001', null
    ),
    (
      '00000000-0000-4000-8000-000000f0e002', null, 'manager', 'content.edit', '00000000-0000-4000-8000-00000000b002', null
    )
) as exception (id, user_id, role_code, permission_code, tenant_id, expires_at)
join iam.permissions as p on p.code = exception.permission_code
left join iam.roles as r on r.code = exception.role_code;

-- One item of the platform and one of a former member of A in each repository; others of other authors; one of the
-- creator of A in B, where the creator is not a member.
insert into content.items (
  id, repository_id, content_type, tenant_id, owner_id, title, status, visibility, published_at
)
select
  ('00000000-0000-4000-8000-00000000' || item.id)::uuid,
  r.id,
  r.content_type,
  ('00000000-0000-4000-8000-00000000' || item.tenant)::uuid,
  ('00000000-0000-4000-8000-00000000' || item.owner)::uuid,
  item.title,
  item.status::content.content_status,
  'tenant',
  case when item.status = 'published' then timestamptz '2026-01-05 09:00:00+00' end
from (
  values
    ('1912', 'videos', null, null, 'Video of the platform', 'published'),
    ('1914', 'prompts', null, null, 'Prompt of the platform', 'published'),
    ('1915', 'automations', null, null, 'Automation of the platform', 'published'),
    ('1121', 'ai_agents', 'b001', 'a012', 'Agent A of one who left', 'draft'),
    ('1122', 'videos', 'b001', 'a012', 'Video A of one who left', 'draft'),
    ('1124', 'prompts', 'b001', 'a012', 'Prompt A of one who left', 'draft'),
    ('1125', 'automations', 'b001', 'a012', 'Automation A of one who left', 'draft'),
    ('1131', 'documents', 'b001', 'a024', 'Document A of the editor', 'published'),
    ('1132', 'documents', 'b001', 'a026', 'Document A of the former coach', 'draft'),
    ('1231', 'documents', 'b002', 'a011', 'Document B of the creator of A', 'published'),
    ('1232', 'documents', 'b002', 'a012', 'Document B of one who left A', 'draft')
) as item (id, repository, tenant, owner, title, status)
join content.repositories as r on r.code = item.repository;

insert into content.ai_agents (item_id, system_prompt)
values ('00000000-0000-4000-8000-000000001121', 'You have left.');

insert into content.videos (item_id, external_url)
values
  ('00000000-0000-4000-8000-000000001912', 'https://video.example.test/1912'),
  ('00000000-0000-4000-8000-000000001122', 'https://video.example.test/1122');

insert into content.prompts (item_id, template)
values
  ('00000000-0000-4000-8000-000000001914', 'Prompt of the platform.'),
  ('00000000-0000-4000-8000-000000001124', 'Prompt of one who left.');

insert into content.automations (item_id, trigger_type)
values
  ('00000000-0000-4000-8000-000000001915', 'manual'),
  ('00000000-0000-4000-8000-000000001125', 'manual');

-- Public, of the deleted tenant.
insert into content.items (id, repository_id, content_type, tenant_id, title, status, visibility, published_at)
select
  '00000000-0000-4000-8000-000000001402', r.id, r.content_type, '00000000-0000-4000-8000-00000000b004',
  'Public document of the deleted tenant', 'published', 'public', '2026-01-05 09:00:00+00'
from content.repositories as r
where r.code = 'documents';

insert into content.documents (item_id, body)
values ('00000000-0000-4000-8000-000000001402', 'Open once.');

-- Deleted items of each type, of a person who can edit the others. An editor deleted them.
insert into content.items (id, repository_id, content_type, tenant_id, owner_id, title, deleted_at, deleted_by)
select
  ('00000000-0000-4000-8000-00000000' || item.id)::uuid, r.id, r.content_type, '00000000-0000-4000-8000-00000000b001',
  '00000000-0000-4000-8000-00000000a011', 'Deleted, of type ' || r.content_type, '2026-01-06 08:00:00+00',
  '00000000-0000-4000-8000-00000000a024'
from (
  values ('1141', 'ai_agents'), ('1142', 'videos'), ('1144', 'prompts'), ('1145', 'automations')
) as item (id, repository)
join content.repositories as r on r.code = item.repository;

insert into content.ai_agents (item_id, system_prompt)
values ('00000000-0000-4000-8000-000000001141', 'You are deleted.');

insert into content.videos (item_id, external_url)
values ('00000000-0000-4000-8000-000000001142', 'https://video.example.test/1142');

insert into content.prompts (item_id, template)
values ('00000000-0000-4000-8000-000000001144', 'Deleted.');

insert into content.automations (item_id, trigger_type)
values ('00000000-0000-4000-8000-000000001145', 'manual');

-- Public items of A and items that differ from them in one argument of content.search_items().
insert into content.items (
  id, repository_id, content_type, tenant_id, owner_id, title, status, visibility, published_at
)
select
  '00000000-0000-4000-8000-000000001113', r.id, r.content_type, '00000000-0000-4000-8000-00000000b001',
  '00000000-0000-4000-8000-00000000a011', 'Video A public', 'published', 'public', '2026-01-05 09:00:00+00'
from content.repositories as r
where r.code = 'videos';

insert into content.videos (item_id, external_url)
values ('00000000-0000-4000-8000-000000001113', 'https://video.example.test/1113');

update content.items
set language_code = 'de'
where id in (
  '00000000-0000-4000-8000-000000001108', '00000000-0000-4000-8000-000000001111', '00000000-0000-4000-8000-000000001113',
  '00000000-0000-4000-8000-000000001122', '00000000-0000-4000-8000-000000001208', '00000000-0000-4000-8000-000000001912'
);

update content.items
set metadata = '{"topic": "sea"}'
where id in (
  '00000000-0000-4000-8000-000000001108', '00000000-0000-4000-8000-000000001113', '00000000-0000-4000-8000-000000001142',
  '00000000-0000-4000-8000-000000001203'
);

update content.documents
set body = 'Another text.'
where item_id = '00000000-0000-4000-8000-000000001203';

update content.videos
set transcript = 'A transcript.'
where item_id in (
  '00000000-0000-4000-8000-000000001102', '00000000-0000-4000-8000-000000001113', '00000000-0000-4000-8000-000000001122',
  '00000000-0000-4000-8000-000000001142', '00000000-0000-4000-8000-000000001912'
);

-- Files that differ only in one condition of a policy.
insert into media.media (
  id, media_type_id, tenant_id, owner_id, visibility, bucket, object_key, filename, mime_type, file_size_bytes, deleted_at,
  deleted_by
)
select
  ('00000000-0000-4000-8000-00000000' || file.id)::uuid,
  t.id,
  ('00000000-0000-4000-8000-00000000' || file.tenant)::uuid,
  ('00000000-0000-4000-8000-00000000' || file.owner)::uuid,
  file.visibility::core.visibility_level,
  'media', 'edges/' || file.id, file.filename, 'application/pdf', 1024, file.deleted_at::timestamptz,
  ('00000000-0000-4000-8000-00000000' || file.deleted_by)::uuid
from (
  values
    ('e111', 'b001', 'a011', 'private', 'deleted by its author.pdf', '2026-01-06 08:00:00+00', 'a011'),
    ('e119', 'b001', 'a011', 'private', 'deleted by an editor.pdf', '2026-01-06 08:00:00+00', 'a024'),
    ('e112', 'b001', 'a003', 'private', 'in A by a person without media.create.pdf', null, null),
    ('e113', null, 'a018', 'public', 'public without a tenant.pdf', null, null),
    ('e114', 'b001', null, 'private', 'in A, its author erased.pdf', null, null),
    ('e115', 'b001', 'a012', 'private', 'in A by a former member.pdf', null, null),
    ('e116', 'b002', 'a007', 'private', 'in B by a person with media.create.pdf', null, null),
    ('e117', null, 'a001', 'private', 'of the super admin in person.pdf', null, null),
    ('e118', 'b004', null, 'public', 'public, of the deleted tenant.pdf', null, null)
) as file (id, tenant, owner, visibility, filename, deleted_at, deleted_by)
join media.media_types as t on t.code = 'document';

-- Conversations in a tenant of which their person is not a member.
insert into ai.conversations (
  id, user_id, tenant_id, agent_id, title, status, started_at, last_message_at, deleted_at, deleted_by
)
values
  (
    '00000000-0000-4000-8000-000000002106', '00000000-0000-4000-8000-00000000a003', '00000000-0000-4000-8000-00000000b002',
    '00000000-0000-4000-8000-000000001901', 'Member one, once in B', 'archived',
    '2026-01-05 10:00:00+00', '2026-01-05 10:00:00+00', null, null
  ),
  (
    '00000000-0000-4000-8000-000000002111', '00000000-0000-4000-8000-00000000a003', '00000000-0000-4000-8000-00000000b002',
    null, 'Member one, deleted in B', 'archived',
    '2026-01-05 10:00:00+00', '2026-01-05 10:00:00+00', '2026-01-06 08:00:00+00', '00000000-0000-4000-8000-00000000a003'
  );

-- An administrator in a tenant below their own, where another person must admit them.
insert into iam.memberships (id, tenant_id, user_id, status, joined_at, ended_at)
values (
  '00000000-0000-4000-8000-0000d003f002', '00000000-0000-4000-8000-00000000b003', '00000000-0000-4000-8000-00000000a002',
  'terminated', '2026-01-05 08:00:00+00', '2026-01-06 08:00:00+00'
);

-- Elevations for a tenant. Only 7011, 7012 and 7019 give access; the others are of a person who is not a super admin, of another
-- scope, for a deleted tenant, ended, expired, or have not begun.
insert into audit.security_contexts (
  id, user_id, tenant_id, scope, target_user_id, reason, elevated_by, started_at, expires_at, revoked_at
)
select
  ('00000000-0000-4000-8000-00000000' || elevation.id)::uuid,
  ('00000000-0000-4000-8000-00000000' || elevation.person)::uuid,
  ('00000000-0000-4000-8000-00000000' || elevation.tenant)::uuid,
  elevation.scope,
  case when elevation.scope = 'phi_read' then uuid '00000000-0000-4000-8000-00000000a003' end,
  'for the access tests',
  ('00000000-0000-4000-8000-00000000' || elevation.person)::uuid,
  now() + elevation.starts_in,
  now() + elevation.starts_in + interval '4 hours',
  case when elevation.ended then now() end
from (
  values
    ('7011', 'a041', 'b001', 'tenant_support', interval '0', false),
    ('7012', 'a041', 'b011', 'tenant_support', interval '0', false),
    ('7013', 'a024', 'b002', 'tenant_support', interval '0', false),
    ('7014', 'a019', 'b002', 'phi_read', interval '0', false),
    ('7019', 'a019', 'b005', 'tenant_support', interval '0', false),
    ('7015', 'a041', 'b004', 'tenant_support', interval '0', false),
    ('7016', 'a001', 'b002', 'tenant_support', interval '-1 minute', true),
    ('7017', 'a001', 'b002', 'tenant_support', interval '-5 hours', false),
    ('7018', 'a001', 'b002', 'tenant_support', interval '1 hour', false)
) as elevation (id, person, tenant, scope, starts_in, ended);

-- The domain of B is verified for other addresses than these; a suspended member cannot join again by the domain of A.
insert into iam.memberships (id, tenant_id, user_id, status, joined_at)
values (
  '00000000-0000-4000-8000-0000d0010044', '00000000-0000-4000-8000-00000000b001', '00000000-0000-4000-8000-00000000a044',
  'suspended', '2026-01-05 08:00:00+00'
);

-- Open invitations without effect: by a person who is no admin any more, by the invited person, for a role that was
-- deleted, and to a suspended tenant.
insert into iam.invitations (id, tenant_id, email, role_id, token_hash, invited_by, expires_at)
select
  ('00000000-0000-4000-8000-0000001b' || invitation.id)::uuid,
  ('00000000-0000-4000-8000-00000000' || invitation.tenant)::uuid,
  invitation.email, r.id, sha256(invitation.token::bytea),
  ('00000000-0000-4000-8000-00000000' || invitation.inviter)::uuid,
  '2099-01-01 00:00:00+00'
from (
  values
    ('0031', 'b001', 'admin.b@example.test', 'member', 'former-a', 'a012'),
    ('0032', 'b001', 'admin.a@example.test', 'owner', 'self-a', 'a002'),
    ('0033', 'b001', 'editor.b@example.test', 'retired_editor', 'retired-a', 'a002'),
    ('0034', 'b011', 'no.tenant@example.test', 'member', 'frozen', 'a014'),
    ('0035', 'b002', 'member.one@example.test', 'community_admin', 'manager-b', 'a029'),
    ('0036', 'b001', 'barred@a.example.test', 'member', 'barred-a', 'a002'),
    ('0037', 'b003', 'new.person@a.example.test', 'member', 'from-above', 'a002'),
    ('0038', 'b002', 'admin.b@example.test', 'member', 'self-b', 'a006')
) as invitation (id, tenant, email, role_code, token, inviter)
join iam.roles as r on r.code = invitation.role_code;

-- Invitations of a former member that have expired: one was accepted, one revoked.
insert into iam.invitations (
  id, tenant_id, email, role_id, token_hash, invited_by, expires_at, accepted_at, accepted_by, revoked_at
)
select
  ('00000000-0000-4000-8000-0000001b' || invitation.id)::uuid,
  '00000000-0000-4000-8000-00000000b003', 'earlier@example.test', r.id, sha256(invitation.token::bytea),
  '00000000-0000-4000-8000-00000000a020', '2026-01-06 08:00:00+00', invitation.accepted_at::timestamptz,
  invitation.accepted_by::uuid, invitation.revoked_at::timestamptz
from (
  values
    ('0041', 'used-east', '2026-01-05 08:00:00+00', '00000000-0000-4000-8000-00000000a026', null),
    ('0042', 'ended-east', null, null, '2026-01-05 08:00:00+00')
) as invitation (id, token, accepted_at, accepted_by, revoked_at)
join iam.roles as r on r.code = 'member';

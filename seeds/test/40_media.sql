-- Files: private, of a tenant, public, deleted, in both worlds; and one of the platform.
insert into media.media (
  id, media_type_id, tenant_id, owner_id, visibility, bucket, object_key, filename, mime_type, file_size_bytes, deleted_at
)
select
  ('00000000-0000-4000-8000-00000000' || file.id)::uuid,
  t.id,
  ('00000000-0000-4000-8000-00000000' || file.tenant)::uuid,
  ('00000000-0000-4000-8000-00000000' || file.owner)::uuid,
  file.visibility::core.visibility_level,
  'test', file.id, file.filename, 'application/pdf', 1024, file.deleted_at::timestamptz
from (
  values
    ('e101', null, 'a003', 'private', 'private of member one.pdf', null),
    ('e102', 'b001', 'a011', 'tenant', 'shared in A.pdf', null),
    ('e103', 'b001', 'a011', 'public', 'public from A.pdf', null),
    ('e104', 'b001', 'a011', 'private', 'private in A.pdf', null),
    ('e105', 'b001', 'a003', 'tenant', 'deleted in A.pdf', '2026-01-06 08:00:00+00'),
    ('e106', 'b003', 'a020', 'tenant', 'shared in A east.pdf', null),
    ('e201', null, 'a007', 'private', 'private of member B.pdf', null),
    ('e202', 'b002', 'a021', 'tenant', 'shared in B.pdf', null),
    ('e203', 'b002', 'a021', 'public', 'public from B.pdf', null),
    ('e204', 'b002', 'a021', 'private', 'private in B.pdf', null),
    ('e301', null, null, 'private', 'of the platform.pdf', null)
) as file (id, tenant, owner, visibility, filename, deleted_at)
join media.media_types as t on t.code = 'document';

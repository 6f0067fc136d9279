-- Files referenced by the content; the objects do not exist in a bucket.
insert into media.media (
  id, media_type_id, tenant_id, owner_id, visibility, bucket, object_key, filename, mime_type, file_size_bytes, alt_text
)
select
  ('00000000-0000-4000-b000-0005' || lpad(file.number::text, 8, '0'))::uuid,
  t.id,
  ('00000000-0000-4000-b000-00020000000' || file.tenant)::uuid,
  ('00000000-0000-4000-b000-0001' || lpad(file.owner::text, 8, '0'))::uuid,
  file.visibility::core.visibility_level,
  'development', 'development/' || file.filename, file.filename, file.mime_type, 1048576, file.alt_text
from (
  values
    (1, 1, 13, 'video', 'video/mp4', 'tenant', 'welcome.mp4', 'A person waves from a doorway'),
    (2, 1, 13, 'image', 'image/png', 'tenant', 'welcome.png', 'A doorway'),
    (3, 1, 14, 'document', 'application/pdf', 'tenant', 'handbook.pdf', 'The handbook'),
    (4, 3, 32, 'video', 'video/mp4', 'public', 'harbour-tour.mp4', 'A walk along the quay'),
    (5, 3, 32, 'document', 'application/pdf', 'tenant', 'harbour-rules.pdf', 'The house rules'),
    (6, null, 16, 'image', 'image/png', 'private', 'my-notes.png', 'Handwriting')
) as file (number, tenant, owner, media_type, mime_type, visibility, filename, alt_text)
join media.media_types as t on t.code = file.media_type
on conflict (id) do nothing;

-- The four kinds of file.
insert into media.media_types as held (id, code, name, allowed_mime_types, max_file_size_bytes)
values
  (
    '00000000-0000-4000-9000-000700000001', 'image', 'Image',
    array['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/svg+xml'], 20971520
  ),
  (
    '00000000-0000-4000-9000-000700000002', 'video', 'Video',
    array['video/mp4', 'video/webm', 'video/quicktime'], 2147483648
  ),
  (
    '00000000-0000-4000-9000-000700000003', 'audio', 'Audio',
    array['audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/wav'], 209715200
  ),
  (
    '00000000-0000-4000-9000-000700000004', 'document', 'Document',
    array['application/pdf', 'text/plain', 'text/markdown', 'text/html'], 104857600
  )
on conflict (code) do update
set
  name = excluded.name,
  allowed_mime_types = excluded.allowed_mime_types,
  max_file_size_bytes = excluded.max_file_size_bytes
where (held.name, held.allowed_mime_types, held.max_file_size_bytes)
  is distinct from (excluded.name, excluded.allowed_mime_types, excluded.max_file_size_bytes);

-- Rows for local work; can be loaded repeatedly.
insert into app.notes (id, owner_id, title, body)
values
  ('00000000-0000-4000-8000-0000000000d1', '00000000-0000-4000-8000-000000000001', 'Hello', 'This row was loaded by `aigym-db up`.'),
  ('00000000-0000-4000-8000-0000000000d2', '00000000-0000-4000-8000-000000000002', 'Hello', 'This row belongs to another person.')
on conflict (id) do nothing;

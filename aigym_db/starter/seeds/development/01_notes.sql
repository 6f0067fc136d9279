-- Rows to work with; safe to run twice.
insert into app.notes (id, owner_id, title, body)
values
  ('00000000-0000-4000-8000-0000000000d1', '00000000-0000-4000-8000-000000000001', 'Hello', 'This row came with `aigym-db up`.'),
  ('00000000-0000-4000-8000-0000000000d2', '00000000-0000-4000-8000-000000000002', 'Hello', 'This one belongs to somebody else.')
on conflict (id) do nothing;

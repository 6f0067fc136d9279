-- Rows for the access matrix: each of two people owns a note.
insert into app.notes (id, owner_id, title)
values
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000001', 'Of the first person'),
  ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-000000000002', 'Of the second person');

-- Languages of the interface. English is the default.
insert into platform.languages as held (
  id, code, name, native_name, writing_direction, text_search_config, is_supported, is_default, display_order
)
values
  ('00000000-0000-4000-9000-000100000001', 'en', 'English', 'English', 'ltr', 'english', true, true, 1),
  ('00000000-0000-4000-9000-000100000002', 'es', 'Spanish', 'Español', 'ltr', 'spanish', true, false, 2),
  ('00000000-0000-4000-9000-000100000003', 'de', 'German', 'Deutsch', 'ltr', 'german', true, false, 3),
  ('00000000-0000-4000-9000-000100000004', 'fr', 'French', 'Français', 'ltr', 'french', true, false, 4),
  ('00000000-0000-4000-9000-000100000005', 'it', 'Italian', 'Italiano', 'ltr', 'italian', true, false, 5),
  ('00000000-0000-4000-9000-000100000006', 'pt', 'Portuguese', 'Português', 'ltr', 'portuguese', true, false, 6),
  ('00000000-0000-4000-9000-000100000007', 'nl', 'Dutch', 'Nederlands', 'ltr', 'dutch', false, false, 7),
  ('00000000-0000-4000-9000-000100000008', 'pl', 'Polish', 'Polski', 'ltr', 'simple', false, false, 8),
  ('00000000-0000-4000-9000-000100000009', 'ru', 'Russian', 'Русский', 'ltr', 'russian', false, false, 9),
  ('00000000-0000-4000-9000-000100000010', 'ar', 'Arabic', 'العربية', 'rtl', 'arabic', false, false, 10),
  ('00000000-0000-4000-9000-000100000011', 'he', 'Hebrew', 'עברית', 'rtl', 'simple', true, false, 11),
  ('00000000-0000-4000-9000-000100000012', 'ja', 'Japanese', '日本語', 'ltr', 'simple', false, false, 12)
on conflict (code) do update
set
  name = excluded.name,
  native_name = excluded.native_name,
  writing_direction = excluded.writing_direction,
  text_search_config = excluded.text_search_config,
  is_supported = excluded.is_supported,
  is_default = excluded.is_default,
  display_order = excluded.display_order
where (
    held.name, held.native_name, held.writing_direction, held.text_search_config, held.is_supported, held.is_default,
    held.display_order
  ) is distinct from (
    excluded.name, excluded.native_name, excluded.writing_direction, excluded.text_search_config, excluded.is_supported,
    excluded.is_default, excluded.display_order
  );

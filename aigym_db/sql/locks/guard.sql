-- Is this session as it was before the migration, as far as that is quick to tell? An error is the only other answer: it stops the message.
select case 1 / (
  current_user = %(role)s and current_setting('search_path') = %(search_path)s
  and (pg_my_temp_schema() = 0 or not exists (select from pg_class where relnamespace = pg_my_temp_schema())))::integer
  when 1 then '' end

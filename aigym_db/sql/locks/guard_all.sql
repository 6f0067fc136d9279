-- Return '' if the session state is as before a migration that may have run code; else fail with division by zero.
-- The error keeps the next migration of the message from running. A plain query would need a message per migration:
-- 0.146 instead of 0.088 ms each on a Unix socket (1,000 migrations, PostgreSQL 18), plus a network round trip.
select case 1 / (
  current_user = %(role)s and current_setting('search_path') = %(search_path)s
  and (pg_my_temp_schema() = 0
       or not exists (select from pg_class where relnamespace = pg_my_temp_schema())
          and not exists (select from pg_proc where pronamespace = pg_my_temp_schema()))
  and not exists (select from pg_prepared_statements where not starts_with(name, 'aigym_db_'))
  and not exists (select from pg_cursors where is_holdable and name <> '')
  and not exists (select from pg_listening_channels())
  and 1 = (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()))::integer
  when 1 then '' end

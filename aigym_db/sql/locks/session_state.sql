-- A description of the session state that a migration left; empty if there is none.
select concat_ws(', ',
  case when current_user <> %(role)s then 'the role ' || current_user end,
  case when current_setting('search_path') <> %(search_path)s
       then 'search_path = ' || current_setting('search_path') end,
  (select string_agg('the setting ' || name || ' = ' || setting, ', ' order by name)
   from pg_settings
   where source = 'session'
     -- SET LOCAL after a RESET in the same transaction becomes a session setting with an unchanged value.
     and setting is distinct from reset_val
     and name not in ('search_path', 'transaction_isolation', 'transaction_read_only', 'transaction_deferrable')),
  case when pg_my_temp_schema() <> 0 and exists (select from pg_class where relnamespace = pg_my_temp_schema())
       then 'a temporary table' end,
  case when pg_my_temp_schema() <> 0 and exists (select from pg_proc where pronamespace = pg_my_temp_schema())
       then 'a temporary function' end,
  case when exists (select from pg_prepared_statements where not starts_with(name, 'aigym_db_')) then 'a prepared statement' end,
  case when exists (select from pg_cursors where is_holdable and name <> '') then 'an open cursor' end,
  case when exists (select from pg_listening_channels()) then 'a LISTEN' end,
  case (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())
       when 0 then 'the runner lock released' when 1 then null else 'an advisory lock' end)

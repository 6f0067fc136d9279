-- What did a migration leave behind in this session, as far as that is quick to tell?
select case
  when current_user = %(role)s and current_setting('search_path') = %(search_path)s and pg_my_temp_schema() = 0 then ''
  else concat_ws(', ',
    case when current_user <> %(role)s then 'the role ' || current_user end,
    case when current_setting('search_path') <> %(search_path)s
         then 'search_path = ' || current_setting('search_path') end,
    case when pg_my_temp_schema() <> 0 and exists (select from pg_class where relnamespace = pg_my_temp_schema())
         then 'a temporary table' end)
end

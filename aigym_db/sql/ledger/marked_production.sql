-- Is this database marked as production? A session cannot unmark it: the database's own setting is asked, too.
select coalesce(current_setting('aigym.environment', true), '') = 'production'
    or exists (
      select
      from pg_db_role_setting as setting
      join pg_database as database on database.oid = setting.setdatabase
      where database.datname = current_database()
        and setting.setrole = 0
        and 'aigym.environment=production' = any (setting.setconfig))

-- Whether this database is marked as production. Also reads the database's own setting, which a session cannot override.
select coalesce(current_setting('aigym.environment', true), '') = 'production'
    or exists (
      select
      from pg_db_role_setting as setting
      join pg_database as database on database.oid = setting.setdatabase
      where database.datname = current_database()
        and setting.setrole = 0
        and 'aigym.environment=production' = any (setting.setconfig))

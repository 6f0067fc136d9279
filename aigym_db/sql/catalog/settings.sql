-- The settings that ALTER ROLE SET and ALTER DATABASE SET change for sessions in this database.
select
    'setting' as kind,
    split_part(entry, '=', 1) || ' of '
        || case when s.setrole = 0 then 'all roles' else s.setrole::regrole::text end
        || case when s.setdatabase = 0 then '' else ' in this database' end as name,
    substr(entry, strpos(entry, '=') + 1) as value
from pg_db_role_setting as s, unnest(s.setconfig) as entry
where s.setdatabase = 0 or s.setdatabase = (select oid from pg_database where datname = current_database())

-- Whether this session may write the ledger: standby, read-only, the GRANT that is missing, and the role.
select pg_is_in_recovery() as standby,
       current_setting('transaction_read_only')::boolean as read_only,
       case
         when to_regclass('aigym_db.event') is not null then
           (select format('grant %s on aigym_db.event to %I', string_agg(privilege, ', '), session_user)
            from (values ('select'), ('insert')) as needed (privilege)
            where not has_table_privilege(session_user, 'aigym_db.event', privilege)
            having count(*) > 0)
         when to_regnamespace('aigym_db') is not null then
           (select format('grant create on schema aigym_db to %I', session_user)
            where not has_schema_privilege(session_user, 'aigym_db', 'create'))
         else
           (select format('grant create on database %I to %I', current_database(), session_user)
            where not has_database_privilege(session_user, current_database(), 'create'))
       end as missing_grant,
       session_user as who

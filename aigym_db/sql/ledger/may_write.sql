-- Why could this session not migrate: is the server a standby, the session read-only, the role without rights?
select pg_is_in_recovery() as standby,
       current_setting('transaction_read_only')::boolean as read_only,
       case
         when to_regclass('aigym_db.event') is not null then has_table_privilege(session_user, 'aigym_db.event', 'insert')
         when to_regnamespace('aigym_db') is not null then has_schema_privilege(session_user, 'aigym_db', 'create')
         else has_database_privilege(session_user, current_database(), 'create')
       end as may_write,
       session_user as who

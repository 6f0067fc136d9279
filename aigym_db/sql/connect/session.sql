-- The server process ID, and the session settings in force on the server.
select
    pg_catalog.pg_backend_pid() as backend_pid,
    pg_catalog.current_setting('row_security') as row_security,
    pg_catalog.current_setting('DateStyle') as "DateStyle",
    pg_catalog.current_setting('TimeZone') as "TimeZone",
    pg_catalog.current_setting('IntervalStyle') as "IntervalStyle",
    pg_catalog.current_setting('standard_conforming_strings') as standard_conforming_strings,
    pg_catalog.current_setting('transform_null_equals') as transform_null_equals,
    pg_catalog.current_setting('xmloption') as xmloption,
    pg_catalog.current_setting('check_function_bodies') as check_function_bodies,
    pg_catalog.current_setting('client_min_messages') as client_min_messages,
    pg_catalog.current_setting('default_transaction_isolation') as default_transaction_isolation,
    pg_catalog.current_setting('default_transaction_deferrable') as default_transaction_deferrable,
    pg_catalog.current_setting('default_transaction_read_only') as default_transaction_read_only,
    pg_catalog.current_setting('session_replication_role') as session_replication_role,
    pg_catalog.current_setting('synchronous_commit') as synchronous_commit,
    pg_catalog.current_setting('fsync') as fsync,
    pg_catalog.current_setting('jit') as jit,
    pg_catalog.current_setting('search_path') as search_path,
    pg_catalog.current_setting('application_name') as application_name,
    pg_catalog.current_setting('role') as role,
    (extract(epoch from pg_catalog.current_setting('lock_timeout')::interval) * 1000)::bigint
        as lock_timeout,
    (extract(epoch from pg_catalog.current_setting('statement_timeout')::interval) * 1000)::bigint
        as statement_timeout,
    (extract(epoch from pg_catalog.current_setting('idle_in_transaction_session_timeout')::interval) * 1000)::bigint
        as idle_in_transaction_session_timeout,
    (extract(epoch from pg_catalog.current_setting('idle_session_timeout')::interval) * 1000)::bigint
        as idle_session_timeout,
    (extract(epoch from pg_catalog.current_setting('client_connection_check_interval')::interval) * 1000)::bigint
        as client_connection_check_interval,
    (extract(epoch from pg_catalog.current_setting('transaction_timeout', true)::interval) * 1000)::bigint
        as transaction_timeout

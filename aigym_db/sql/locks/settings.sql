-- The settings in force that affect the meaning or the effect of SQL.
select concat_ws(' ',
  current_setting('check_function_bodies'), current_setting('client_encoding'), current_setting('client_min_messages'),
  current_setting('DateStyle'), current_setting('default_table_access_method'), current_setting('default_tablespace'),
  current_setting('default_transaction_isolation'), current_setting('default_transaction_read_only'),
  current_setting('IntervalStyle'), current_setting('lock_timeout'), current_setting('quote_all_identifiers'),
  current_setting('row_security'), current_setting('session_replication_role'), current_setting('standard_conforming_strings'),
  current_setting('statement_timeout'), current_setting('synchronous_commit'), current_setting('TimeZone'),
  current_setting('transform_null_equals'))

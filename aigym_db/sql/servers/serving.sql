-- The data directory of this server, and the settings that make its commits durable.
select
    current_setting('data_directory') as data_directory,
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit

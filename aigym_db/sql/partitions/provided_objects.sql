-- Whether the database has the table of strategies, and the functions that record steps.
select
    to_regclass('ops.partition_strategies') is not null as has_strategies,
    to_regprocedure('ops.ensure_all_partitions()') is not null as has_job,
    to_regprocedure('ops.record_partitions(regclass)') is not null as records_partitions,
    to_regprocedure('ops.record_archive(regclass,text,bigint,text,bytea)') is not null as records_archives

-- The age of the oldest transaction-id of each database.
-- code: HLT03
-- hint: Find out what prevents VACUUM (long transactions, replication slots), then run `vacuum (freeze)` on the oldest tables.
-- unit: transactions
-- breaks: update pg_catalog.pg_database
--     set datfrozenxid = '3194968000'
--     where datname = pg_catalog.current_database()
-- finding: warning: transactions old (51 %
-- breaks: update pg_catalog.pg_database
--     set datfrozenxid = '2594968000'
--     where datname = pg_catalog.current_database()
-- finding: critical: transactions old (79 %
-- Transaction ids are 32 bits wide: at an age of 2,147,483,648 PostgreSQL assigns no more of them, and every database of
-- the server becomes read-only. Autovacuum prevents this unless something holds it up.
select
    case
        -- The default of vacuum_failsafe_age, in transactions: from there on VACUUM skips everything but freezing.
        when a.age >= 1600000000 then 'critical'
        -- In transactions. Source: Amazon RDS, "Early warning system for transaction ID wraparound".
        when a.age >= 1000000000 then 'warning'
        else 'ok'
    end as severity,
    pg_catalog.quote_ident(d.datname) as object,
    'The oldest transaction id of database ' || pg_catalog.quote_ident(d.datname) || ' is '
        || pg_catalog.to_char(a.age, 'FM9,999,999,999') || ' transactions old ('
        || a.age::bigint * 100 / 2147483648 || ' %% of the limit).' as message,
    a.age::double precision as value
from pg_catalog.pg_database as d
cross join lateral (select pg_catalog.age(d.datfrozenxid) as age) as a

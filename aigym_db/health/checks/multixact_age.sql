-- The age of the oldest multixact of each database.
-- code: HLT04
-- hint: Find out what prevents VACUUM (long transactions, replication slots), then run `vacuum (freeze)` on the oldest tables.
-- unit: multixacts
-- breaks: update pg_catalog.pg_database
--     set datminmxid = '3194968000'
--     where datname = pg_catalog.current_database()
-- finding: warning: multixacts old (51 %
-- breaks: update pg_catalog.pg_database
--     set datminmxid = '2594968000'
--     where datname = pg_catalog.current_database()
-- finding: critical: multixacts old (79 %
-- Multixact ids, which record that several transactions lock a row, are 32 bits wide: at an age of 2,147,483,648
-- PostgreSQL assigns no more of them, and statements that need one fail. Autovacuum prevents this unless something holds
-- it up.
select
    case
        -- The default of vacuum_multixact_failsafe_age, in multixacts: from there on VACUUM skips everything but freezing.
        when a.age >= 1600000000 then 'critical'
        -- In multixacts; as for transaction ids.
        when a.age >= 1000000000 then 'warning'
        else 'ok'
    end as severity,
    pg_catalog.quote_ident(d.datname) as object,
    'The oldest multixact id of database ' || pg_catalog.quote_ident(d.datname) || ' is '
        || pg_catalog.to_char(a.age, 'FM9,999,999,999') || ' multixacts old ('
        || a.age::bigint * 100 / 2147483648 || ' %% of the limit).' as message,
    a.age::double precision as value
from pg_catalog.pg_database as d
cross join lateral (select pg_catalog.mxid_age(d.datminmxid) as age) as a

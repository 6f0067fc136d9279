-- The OID of the database, tablespace or subscription of a name.
select oid::bigint from pg_database where %(kind)s::text = 'database' and datname = %(name)s::text::name
union all
select oid::bigint from pg_tablespace where %(kind)s::text = 'tablespace' and spcname = %(name)s::text::name
union all
select oid::bigint from pg_subscription
where %(kind)s::text = 'subscription' and subname = %(name)s::text::name
  and subdbid = (select oid from pg_database where datname = current_database())

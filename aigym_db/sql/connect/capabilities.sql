-- The features of this server and the privileges of this role on it.
select
    current_setting('server_version_num')::int as version,
    r.rolname as role,
    r.rolsuper as superuser,
    r.rolbypassrls as bypasses_row_security,
    r.rolcreaterole as may_create_roles,
    r.rolcreatedb as may_create_databases,
    pg_is_in_recovery() as standby,
    current_setting('transaction_read_only')::bool as read_only,
    -- The collation `unicode` exists on every server; these exist only if ICU was available to initdb.
    exists (select from pg_catalog.pg_collation where collname like '%-x-icu') as icu,
    array(select e.name::text from pg_catalog.pg_available_extensions as e order by e.name) as extensions_available,
    array(select e.extname::text from pg_catalog.pg_extension as e order by e.extname) as extensions_installed
from pg_catalog.pg_roles as r
where r.rolname = current_user

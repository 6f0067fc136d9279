-- The server, and which of some roles, relations and functions of pg_catalog the current role may not use.
select
    pg_catalog.current_database() as database,
    pg_catalog.current_setting('server_version_num')::int as version,
    current_user::text as role,
    array(
        select r.name
        from pg_catalog.unnest(%(roles)s::text[]) as r (name)
        where not pg_catalog.pg_has_role(current_user, r.name::name, 'usage')
    ) as roles,
    array(
        select c.relname::text
        from pg_catalog.pg_class as c
        where c.relnamespace = 'pg_catalog'::regnamespace
            and c.relname = any (%(names)s::text[])
            and not pg_catalog.has_table_privilege(c.oid, 'select')
    ) as relations,
    array(
        select distinct p.proname::text
        from pg_catalog.pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace
            and p.proname = any (%(names)s::text[])
            and not pg_catalog.has_function_privilege(p.oid, 'execute')
    ) as functions

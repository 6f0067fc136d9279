-- Create a schema that contains the functions and operators of PostgreSQL with these names; each of them raises an error.
-- Those that PL/pgSQL cannot define are left out.
create or replace function pg_temp.aigym_create_shadow(names text[])
returns void
language plpgsql as $shadow$
declare
    item record;
    body constant text := 'begin raise exception using errcode = ''AH001'', message = ''resolved through search_path''; end';
begin
    create schema aigym_shadow;
    for item in
        select p.proname, oidvectortypes(p.proargtypes) as arguments, pg_get_function_result(p.oid) as result
        from pg_proc p
        where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and p.proname = any (names)
    loop
        begin
            execute format(
                'create function aigym_shadow.%I(%s) returns %s language plpgsql as %L',
                item.proname, item.arguments, item.result, body
            );
        exception when others then
            null;
        end;
    end loop;
    for item in
        select
            o.oid,
            o.oprname,
            format_type(o.oprleft, null) as left_type,
            format_type(o.oprright, null) as right_type,
            format_type(o.oprresult, null) as result
        from pg_operator o
        where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprkind = 'b' and o.oprname = any (names)
    loop
        begin
            execute format(
                'create function aigym_shadow.%I(%s, %s) returns %s language plpgsql as %L',
                'operator_' || item.oid, item.left_type, item.right_type, item.result, body
            );
            execute format(
                'create operator aigym_shadow.%s (function = aigym_shadow.%I, leftarg = %s, rightarg = %s)',
                item.oprname, 'operator_' || item.oid, item.left_type, item.right_type
            );
        exception when others then
            null;
        end;
    end loop;
    grant usage on schema aigym_shadow to public;
    grant execute on all functions in schema aigym_shadow to public;
end
$shadow$

-- A SECURITY DEFINER function that uses the caller's search_path.
-- code: SEC05
-- level: error
-- hint: Write `set search_path = ''` on the function, and qualify every name with its schema.
-- breaks: alter function app.secret() reset search_path
-- finding: app.secret() runs as verify_owner
-- Such a function runs with the privileges of its owner. Without a search_path of its own it uses the caller's, and the
-- caller can place an operator or a function of their own before the intended one.
select
    n.nspname || '.' || p.proname || '()' as object,
    'The function ' || p.oid::regprocedure::text || ' runs as ' || p.proowner::regrole::text
        || ' and uses the search_path of its caller.' as message
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where p.prosecdef
    and not exists (select from unnest(p.proconfig) as setting where setting like 'search_path=%%')
    and n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
order by 1

-- Every function and procedure written in SQL or PL/pgSQL: its body and attributes, and whether what it reads is subject
-- to its caller's policies.
select
    p.oid::bigint as oid,
    n.nspname || '.' || p.proname as name,
    p.oid::regprocedure::text as signature,
    l.lanname::text as language,
    p.prosrc as body,
    p.prosqlbody is not null as parsed,
    pg_get_functiondef(p.oid) as definition,
    p.prosecdef as definer,
    exists (select from unnest(p.proconfig) as setting where starts_with(setting, 'search_path=')) as sets_path,
    p.proowner::bigint as owner,
    p.prosecdef and (r.rolbypassrls or r.rolsuper) as sees_all
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
join pg_roles r on r.oid = p.proowner
where l.lanname in ('sql', 'plpgsql')
  and p.prokind in ('f', 'p')
  and n.nspname !~ '^pg_'
  and n.nspname not in ('information_schema', 'aigym_db')
order by 3

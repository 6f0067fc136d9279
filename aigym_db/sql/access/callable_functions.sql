-- Every function and procedure that one of the roles can execute; triggers' functions and those of extensions excluded.
select
    n.nspname || '.' || p.proname as name,
    p.oid::regprocedure::text as signature,
    quote_ident(n.nspname) || '.' || quote_ident(p.proname) as quoted,
    p.proretset as returns_set,
    p.prokind = 'p' as procedure,
    p.provolatile <> 'v' and p.prorettype <> 'void'::regtype as read_only,
    callable.roles,
    -- The body of a function that can be a wrapper: executed as the caller, in the caller's settings.
    case
        when l.lanname = 'sql' and not p.prosecdef and p.prosqlbody is null
            and not exists (select from unnest(p.proconfig) as s (setting) where s.setting !~ '^search_path=')
        then p.prosrc
    end as body,
    coalesce(p.proargnames[:p.pronargs], '{}') as arguments
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
cross join lateral (
    select array_agg(r.rolname::text order by r.rolname) as roles
    from pg_roles r
    where r.rolname = any (%(roles)s)
      and has_function_privilege(r.oid, p.oid, 'execute')
      and has_schema_privilege(r.oid, n.oid, 'usage')
) as callable
where p.prokind in ('f', 'p')
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and n.nspname !~ '^pg_'
  and n.nspname not in ('information_schema', 'aigym_db')
  and n.nspname <> all (%(outside)s)
  and callable.roles is not null
  and not exists (
      select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
  )
order by 2

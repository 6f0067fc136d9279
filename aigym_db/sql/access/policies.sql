-- Every policy: its text, and which functions and other tables it reads.
select
    n.nspname || '.' || c.relname as table,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as quoted_table,
    p.polname::text as name,
    quote_ident(p.polname) as quoted,
    p.polpermissive as permissive,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
    case when p.polroles = '{0}' then 'public'
         else (select string_agg(quote_ident(r.rolname), ', ' order by r.rolname) from pg_roles r where r.oid = any (p.polroles))
    end as roles,
    pg_get_expr(p.polqual, p.polrelid) as using,
    pg_get_expr(p.polwithcheck, p.polrelid) as check,
    array(select distinct d.refobjid::bigint from pg_depend d
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_proc'::regclass) as functions,
    array(select distinct rn.nspname || '.' || rc.relname from pg_depend d
          join pg_class rc on rc.oid = d.refobjid
          join pg_namespace rn on rn.oid = rc.relnamespace
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
            and d.refobjid <> p.polrelid) as reads,
    array(select distinct a.attname::text from pg_depend d
          join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
            and d.refobjid = p.polrelid and d.refobjsubid > 0) as columns
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
where not c.relispartition
order by 1, 3

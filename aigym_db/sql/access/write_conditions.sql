-- The conditions of the policies for UPDATE and DELETE of each table, by role; those for SELECT apply in addition.
-- `columns` are the columns of the table that they name.
select
    n.nspname || '.' || c.relname as name,
    r.rolname::text as role,
    commands.name as command,
    string_agg('(' || pg_get_expr(p.polqual, p.polrelid) || ')', ' or ') filter (where p.polpermissive) as permissive,
    string_agg('(' || pg_get_expr(p.polqual, p.polrelid) || ')', ' and ')
        filter (where not p.polpermissive and p.polcmd <> '*') as restrictive,
    array(
        select distinct a.attname::text
        from pg_depend d
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.classid = 'pg_policy'::regclass and d.objid = any (array_agg(p.oid))
          and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid > 0
    ) as columns
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
join (values ('update', 'w'), ('delete', 'd')) as commands (name, code) on p.polcmd in ('*', commands.code::"char")
join pg_roles r on r.rolname = any (%(roles)s)
  and (p.polroles = '{0}' or exists (select from unnest(p.polroles) as member (oid) where pg_has_role(r.oid, member.oid, 'usage')))
where c.relrowsecurity and not c.relispartition
group by c.oid, n.nspname, c.relname, r.rolname, commands.name

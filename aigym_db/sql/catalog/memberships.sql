-- Role memberships and their options. Before version 16, the INHERIT attribute of the member applies.
select
    'membership' as kind,
    m.member::regrole::text || ' in ' || m.roleid::regrole::text as name,
    bool_or(coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit))::text as inherits,
    bool_or(coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))::text as may_set_role,
    bool_or(m.admin_option)::text as may_grant
from pg_auth_members as m
join pg_roles as r on r.oid = m.member
where r.rolname !~ '^pg_'
group by m.member, m.roleid

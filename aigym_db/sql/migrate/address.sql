-- The object to which DROP refers by these names.
select 'pg_proc'::regclass::oid::bigint, to_regproc(%(name)s)::oid::bigint
where %(kind)s::text <> 'operator' and %(arguments)s::text[] is null
union all
-- The other function does not accept operators with one argument.
select 'pg_operator'::regclass::oid::bigint, to_regoperator(%(name)s)::oid::bigint
where %(kind)s::text = 'operator'
union all
select address.classid::bigint, address.objid::bigint
from (select %(names)s::text[] as names, %(arguments)s::text[] as arguments) as named
cross join lateral pg_get_object_address(%(kind)s::text, named.names, named.arguments) as address
where %(kind)s::text <> 'operator' and named.arguments is not null

-- Who is mapped to an account of a foreign server? With which password is no part of the description, and few may see it.
select
    'user mapping' as kind,
    case when m.umuser = 0 then 'public' else m.umuser::regrole::text end || ' on ' || quote_ident(m.srvname) as name,
    'true' as present
from pg_user_mappings as m

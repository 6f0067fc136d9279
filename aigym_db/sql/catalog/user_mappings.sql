-- User mappings of foreign servers, without their options: these contain passwords, and few roles may read them.
select
    'user mapping' as kind,
    case when m.umuser = 0 then 'public' else m.umuser::regrole::text end || ' on ' || quote_ident(m.srvname) as name,
    'true' as present
from pg_user_mappings as m

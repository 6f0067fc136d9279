-- Who is mapped to which account of a foreign server? Options hold passwords, so only their digest is a fact.
select
    'user mapping' as kind,
    case when m.umuser = 0 then 'public' else m.umuser::regrole::text end || ' on ' || quote_ident(m.srvname) as name,
    encode(sha256(convert_to(m.umoptions::text, 'UTF8')), 'hex') as options_digest
from pg_user_mappings as m

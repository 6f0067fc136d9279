-- Installed extensions with their schema and version.
select
    'extension' as kind,
    quote_ident(x.extname) as name,
    x.extversion as version,
    quote_ident(n.nspname) as schema
from pg_extension as x
join pg_namespace as n on n.oid = x.extnamespace

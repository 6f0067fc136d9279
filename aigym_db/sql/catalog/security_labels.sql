-- Security labels.
select
    'security label' as kind,
    l.objtype || ' ' || l.objname || ' for ' || l.provider as name,
    l.label
from pg_seclabels as l

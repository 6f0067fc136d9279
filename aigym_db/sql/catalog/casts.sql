-- User-defined casts.
select
    'cast' as kind,
    c.castsource::regtype::text || ' as ' || c.casttarget::regtype::text as name,
    case c.castmethod
        when 'b' then 'without function' when 'i' then 'with inout' else c.castfunc::regprocedure::text
    end as function,
    case c.castcontext when 'i' then 'implicit' when 'a' then 'assignment' else 'explicit' end as context,
    d.description as comment
from pg_cast as c
left join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_cast'::regclass
-- Objects that initdb created have lower OIDs (FirstNormalObjectId).
where c.oid >= 16384
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_cast'::regclass and e.objid = c.oid and e.deptype in ('e', 'i')
    )

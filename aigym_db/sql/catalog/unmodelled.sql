-- Objects that none of the other queries returns. Only their existence is compared, not their properties.
select
    'unmodelled' as kind,
    i.type || ' ' || i.identity as name,
    'its properties are not compared' as note
from (
    select distinct d.classid, d.objid
    from pg_depend as d
    where d.objid >= 16384
        and d.classid <> all (array[
            'pg_am', 'pg_amop', 'pg_amproc', 'pg_attrdef', 'pg_cast', 'pg_class', 'pg_collation', 'pg_constraint',
            'pg_default_acl', 'pg_event_trigger', 'pg_extension', 'pg_foreign_data_wrapper', 'pg_foreign_server',
            'pg_namespace', 'pg_opclass', 'pg_operator', 'pg_opfamily', 'pg_policy', 'pg_proc', 'pg_publication',
            'pg_publication_namespace', 'pg_publication_rel', 'pg_rewrite', 'pg_statistic_ext', 'pg_trigger',
            'pg_ts_config', 'pg_ts_dict', 'pg_type', 'pg_user_mapping'
        ]::regclass[])
    union
    select 'pg_am'::regclass, a.oid from pg_am as a where a.oid >= 16384
    union
    select 'pg_language'::regclass, l.oid from pg_language as l where l.oid >= 16384
    union
    select 'pg_subscription'::regclass, s.oid
    from pg_subscription as s
    where s.subdbid = (select oid from pg_database where datname = current_database())
    union
    select 'pg_class'::regclass, c.oid
    from pg_class as c
    where c.oid >= 16384 and c.relkind not in ('r', 'p', 'v', 'm', 'f', 'c', 'S', 'i', 'I', 't')
    union
    select 'pg_proc'::regclass, p.oid from pg_proc as p where p.oid >= 16384 and p.prokind not in ('f', 'p', 'w', 'a')
    union
    select 'pg_constraint'::regclass, k.oid
    from pg_constraint as k
    where k.oid >= 16384 and k.contype not in ('c', 'f', 'p', 'u', 'x', 't', 'n')
    union
    select 'pg_type'::regclass, t.oid
    from pg_type as t
    where t.oid >= 16384 and t.typtype not in ('b', 'c', 'd', 'e', 'm', 'p', 'r')
) as o
cross join lateral pg_identify_object(o.classid, o.objid, 0) as i
where i.type is not null
    and not exists (
        select from pg_depend as e
        where e.classid = o.classid and e.objid = o.objid and e.deptype in ('e', 'i')
    )

-- User-defined aggregates: their support functions, parameters, owner and privileges.
select
    'aggregate' as kind,
    quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')' as name,
    pg_get_function_arguments(p.oid) as arguments,
    p.prorettype::regtype::text as returns,
    a.aggkind::text as form,
    a.aggnumdirectargs::text as direct_arguments,
    a.aggtransfn::regprocedure::text as sfunc,
    a.aggtranstype::regtype::text as stype,
    nullif(a.aggfinalfn::oid, 0)::regprocedure::text as finalfunc,
    nullif(a.aggcombinefn::oid, 0)::regprocedure::text as combinefunc,
    nullif(a.aggserialfn::oid, 0)::regprocedure::text as serialfunc,
    nullif(a.aggdeserialfn::oid, 0)::regprocedure::text as deserialfunc,
    nullif(a.aggmtransfn::oid, 0)::regprocedure::text as msfunc,
    nullif(a.aggminvtransfn::oid, 0)::regprocedure::text as minvfunc,
    nullif(a.aggmfinalfn::oid, 0)::regprocedure::text as mfinalfunc,
    nullif(a.aggmtranstype, 0)::regtype::text as mstype,
    a.agginitval as initcond,
    a.aggminitval as minitcond,
    nullif(a.aggsortop, 0)::regoperator::text as sort_operator,
    concat_ws(' ', a.aggfinalextra, a.aggfinalmodify) as final_extra,
    concat_ws(' ', a.aggmfinalextra, a.aggmfinalmodify) as mfinal_extra,
    a.aggtransspace || ' ' || a.aggmtransspace as space,
    p.proparallel::text as parallel,
    p.proowner::regrole::text as owner,
    (
        select string_agg(item::text, ' ' order by item::text collate "C")
        from unnest(coalesce(p.proacl, acldefault('f', p.proowner))) as item
    ) as acl,
    d.description as comment
from pg_proc as p
join pg_aggregate as a on a.aggfnoid = p.oid
join pg_namespace as n on n.oid = p.pronamespace
left join pg_description as d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and n.nspname <> all (%(ignored)s::text[])
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )

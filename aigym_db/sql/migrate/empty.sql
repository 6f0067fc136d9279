-- Which of these relations are not there, or take no space and so hold no rows?
select wanted.name
from unnest(%(names)s::text[]) as wanted (name)
left join pg_class as relation on relation.oid = to_regclass(wanted.name)
where relation.oid is null
   or relation.relkind = 'r' and not relation.relhassubclass and pg_relation_size(relation.oid) = 0

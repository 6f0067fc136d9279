-- Which tables would go with a schema?
select relation.relname
from pg_class as relation
where relation.relnamespace = to_regnamespace(%(schema)s)
  and relation.relkind in ('r', 'p')
  and not relation.relispartition
order by relation.relname

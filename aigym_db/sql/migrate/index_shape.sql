-- The properties of an index other than its name and its table.
select jsonb_build_object(
  'uniqueness', jsonb_build_array(index.indisunique, index.indnullsnotdistinct),
  'method', method.amname,
  'columns', (select jsonb_agg(pg_get_indexdef(index.indexrelid, number, false) order by number)
              from generate_series(1, index.indnkeyatts) as number),
  'included columns', (select jsonb_agg(pg_get_indexdef(index.indexrelid, number, false) order by number)
                       from generate_series(index.indnkeyatts + 1, index.indnatts) as number),
  'operator classes', index.indclass::text,
  'parameters of operator classes', (select jsonb_agg(attoptions order by attnum)
                                     from pg_attribute where attrelid = index.indexrelid),
  'collations', index.indcollation::text,
  'order', index.indoption::text,
  'predicate', pg_get_expr(index.indpred, index.indrelid),
  'storage parameters', (select jsonb_agg(option order by option) from unnest(relation.reloptions) as option),
  'tablespace', relation.reltablespace::bigint)
from pg_index as index
join pg_class as relation on relation.oid = index.indexrelid
join pg_am as method on method.oid = relation.relam
where index.indexrelid = %(index)s::bigint::oid

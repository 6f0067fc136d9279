-- Partially applied or partially rolled back migrations, with their direction.
select begun.version, begun.name, begun.checksum, begun.direction,
       coalesce(max(begun.statement) filter (where begun.kind = 'done'), 0) as done,
       sum((begun.detail ->> 'rows')::bigint) filter (where begun.kind = 'done' and begun.detail ? 'until')::bigint as rows
from aigym_db.event as begun
where begun.scope = %(scope)s
  and begun.kind in ('intent', 'done')
  and not exists (
    select from aigym_db.event as settled
    where settled.scope = begun.scope
      and settled.version = begun.version
      and settled.kind in ('apply', 'adopt', 'repair', 'rollback')
      and settled.id > begun.id)
group by begun.version, begun.name, begun.checksum, begun.direction
order by max(begun.id)

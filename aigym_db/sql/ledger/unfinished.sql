-- Partially applied or partially rolled back migrations, with their direction.
select started.version, started.name, started.checksum, started.direction,
       coalesce(max(started.statement) filter (where started.kind = 'done'), 0) as done,
       sum((started.detail ->> 'rows')::bigint) filter (where started.kind = 'done' and started.detail ? 'until')::bigint as rows
from aigym_db.event as started
where started.scope = %(scope)s
  and started.kind in ('intent', 'done')
  and not exists (
    select from aigym_db.event as finished
    where finished.scope = started.scope
      and finished.version = started.version
      and finished.kind in ('apply', 'adopt', 'repair', 'rollback')
      and finished.id > started.id)
group by started.version, started.name, started.checksum, started.direction
order by max(started.id)

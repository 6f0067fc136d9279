-- The SQL of a migration as this database, or a tenant schema of it, ran it; also from a ledger without the column scope.
select sql
from aigym_db.event
where version = %(version)s
  and coalesce(to_jsonb(event) ->> 'scope', '') = %(scope)s
  and kind in ('apply', 'adopt', 'repair')
  and sql is not null
order by id desc
limit 1

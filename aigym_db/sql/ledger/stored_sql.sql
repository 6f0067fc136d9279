-- Which text of a migration did this database, or a tenant schema of it, run? Also of a ledger that knows no scopes yet.
select sql
from aigym_db.event
where version = %(version)s
  and coalesce(to_jsonb(event) ->> 'scope', '') = %(scope)s
  and kind in ('apply', 'adopt', 'repair')
  and sql is not null
order by id desc
limit 1

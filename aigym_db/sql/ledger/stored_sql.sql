-- The SQL of a migration as applied to this database, or to a tenant schema of it.
select sql
from aigym_db.event
where version = %(version)s
  and scope = %(scope)s
  and kind in ('apply', 'adopt', 'repair')
  and sql is not null
order by id desc
limit 1

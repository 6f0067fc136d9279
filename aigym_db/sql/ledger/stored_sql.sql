-- Which text of a migration did this database run?
select sql
from aigym_db.event
where version = %(version)s and kind in ('apply', 'adopt', 'repair') and sql is not null
order by id desc
limit 1

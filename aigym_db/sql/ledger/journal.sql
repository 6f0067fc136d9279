-- How far did a migration outside a transaction come since it was last applied, undone or given up?
select kind, statement, checksum, sql, detail, backend
from aigym_db.event
where scope = %(scope)s
  and version = %(version)s
  and direction = %(direction)s
  and kind in ('intent', 'done', 'fail')
  and id > coalesce(
    (select max(id) from aigym_db.event
     where scope = %(scope)s and version = %(version)s and kind in ('apply', 'adopt', 'repair', 'rollback')), 0)
order by id

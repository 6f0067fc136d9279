-- Journal entries of a non-transactional migration since it was last applied, rolled back or resolved.
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

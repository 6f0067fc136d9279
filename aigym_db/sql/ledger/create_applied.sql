-- Create the view of the migrations that are applied to this database, or to a tenant schema of it.
create or replace view aigym_db.applied as
select version, name, checksum, occurred_at as applied_at, who as applied_by, scope
from (
  select distinct on (scope, version) scope, version, name, checksum, occurred_at, who, kind
  from aigym_db.event
  where kind in ('apply', 'adopt', 'repair', 'rollback')
  order by scope, version, id desc
) as latest
where kind <> 'rollback'

-- The ledger: how often each version was applied or rolled back, and whether it is applied.
select event.version, event.kind::text, count(*), exists (select from aigym_db.applied where applied.version = event.version)
from aigym_db.event
where kind in ('apply', 'rollback')
group by 1, 2
order by 1, 2

-- The progress of the statement that a session executes: phase, amount done, total, unit. No row if the server does not report it.
select shown.phase || coalesce(' on ' || shown.relid::regclass::text, ''), shown.done, shown.total, shown.unit
from (
  select relid,
         lower(command) || ': ' || phase as phase,
         case when phase like 'waiting for%%' then lockers_done
              when blocks_total > 0 then blocks_done when tuples_total > 0 then tuples_done else partitions_done end
           as done,
         case when phase like 'waiting for%%' then lockers_total
              when blocks_total > 0 then blocks_total when tuples_total > 0 then tuples_total else partitions_total end
           as total,
         case when phase like 'waiting for%%' then 'sessions'
              when blocks_total > 0 then 'pages' when tuples_total > 0 then 'rows' else 'partitions' end as unit
  from pg_stat_progress_create_index
  where pid = %(pid)s
  union all
  select relid, 'vacuum: ' || phase,
         case phase when 'vacuuming heap' then heap_blks_vacuumed else heap_blks_scanned end, heap_blks_total, 'pages'
  from pg_stat_progress_vacuum
  where pid = %(pid)s
  union all
  select relid, lower(command) || ': ' || phase,
         case when heap_blks_total > 0 then heap_blks_scanned else heap_tuples_written end, heap_blks_total,
         case when heap_blks_total > 0 then 'pages' else 'rows' end
  from pg_stat_progress_cluster
  where pid = %(pid)s
  union all
  select relid, 'analyze: ' || phase, sample_blks_scanned, sample_blks_total, 'pages'
  from pg_stat_progress_analyze
  where pid = %(pid)s
  union all
  select nullif(relid, 0), lower(command),
         case when bytes_total > 0 then bytes_processed else tuples_processed end, bytes_total,
         case when bytes_total > 0 then 'bytes' else 'rows' end
  from pg_stat_progress_copy
  where pid = %(pid)s) as shown
limit 1

-- A minor version of PostgreSQL in which row-level security can be bypassed.
-- code: HLT08
-- hint: Install the newest minor version and restart the server; no dump is needed.
-- breaks: version 170005: select
-- finding: warning: PostgreSQL 17.5 is affected by CVE-2025-8713
-- breaks: version 160009: select
-- finding: warning: fixed in 16.10
-- breaks: version 150003: select
-- finding: warning: CVE-2023-39418, CVE-2024-10976, CVE-2025-8713
-- Vulnerabilities of row-level security, and the minor versions that fix them: CVE-2023-2455 (policies disregard changes
-- of the role after inlining, 15.3), CVE-2023-39418 (MERGE disregards policies, 15.4), CVE-2024-10976 (policies in
-- subqueries disregard changes of the role, 15.9, 16.5, 17.1), CVE-2025-8713 (planner statistics expose rows that
-- policies hide, 15.14, 16.10, 17.6). PostgreSQL 18 contains all of these fixes.
select
    'warning' as severity,
    'server' as object,
    'PostgreSQL ' || v.number / 10000 || '.' || v.number %% 10000 || ' is affected by '
        || pg_catalog.string_agg(f.cve, ', ' order by f.cve)
        || ': roles can see rows that policies hide; fixed in '
        || pg_catalog.max(f.fixed) / 10000 || '.' || pg_catalog.max(f.fixed) %% 10000 || '.' as message,
    null::double precision as value
from (
    select coalesce(%(version)s::int, pg_catalog.current_setting('server_version_num')::int) as number
) as v
join (
    -- Values of server_version_num. Source: https://www.postgresql.org/support/security/
    values
        ('CVE-2023-2455', 150003),
        ('CVE-2023-39418', 150004),
        ('CVE-2024-10976', 150009),
        ('CVE-2024-10976', 160005),
        ('CVE-2024-10976', 170001),
        ('CVE-2025-8713', 150014),
        ('CVE-2025-8713', 160010),
        ('CVE-2025-8713', 170006)
) as f (cve, fixed) on f.fixed / 10000 = v.number / 10000 and v.number < f.fixed
group by v.number

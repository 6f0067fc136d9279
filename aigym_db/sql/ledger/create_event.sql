-- Makes the append-only table of everything aigym-db did to this database.
create table aigym_db.event (
  id bigint generated always as identity primary key,
  kind aigym_db.event_kind not null,
  version integer,
  name text,
  checksum text,
  direction text,
  statement integer,
  sql text,
  detail jsonb not null default '{}',
  duration_ms jsonb,
  lock_wait_ms jsonb,
  git_commit text,
  tool_version text not null,
  server_version text not null default current_setting('server_version'),
  who text not null default session_user,
  host text,
  address inet default inet_client_addr(),
  application text default current_setting('application_name'),
  backend integer not null default pg_backend_pid(),
  occurred_at timestamptz not null default clock_timestamp(),
  check (kind in ('start', 'fail') or checksum is not null)
)

"""The tables of the application."""

from __future__ import annotations

import psycopg

SET_UP = """
create type session_state as enum ('open', 'closed');
create table accounts (
  id bigint generated always as identity primary key,
  name text not null,
  email text,
  balance numeric(12, 2) not null default 0,
  obsolete text,
  created_at timestamptz not null default now()
);
create table sessions (
  id bigint generated always as identity primary key,
  account_id bigint not null,
  minutes integer not null default 0,
  state session_state not null default 'open',
  started_at timestamptz not null default now()
);
create index sessions_started_at_idx on sessions (started_at);
create table messages (
  id bigint generated always as identity primary key,
  account_id bigint not null,
  body text not null,
  seen boolean not null default false,
  sent_at timestamptz not null default now()
);
create index messages_old_idx on messages (sent_at);
create table events (
  id bigint generated always as identity,
  account_id bigint not null,
  kind text not null,
  at timestamptz not null,
  primary key (id, at)
) partition by range (at);
create table events_2026_01 partition of events for values from ('2026-01-01') to ('2026-02-01');
create table events_2026_02 partition of events for values from ('2026-02-01') to ('2026-03-01');
create table events_2026_03 partition of events for values from ('2026-03-01') to ('2026-04-01');
"""
FILL = """
insert into accounts (name, email, balance, obsolete)
  select 'Account ' || n, 'account' || n || '@example.org', n % 1000, 'x'
  from generate_series(1, {rows}) as n;
insert into sessions (account_id, minutes, started_at)
  select 1 + n % {rows}, n % 90, timestamptz '2026-01-01' + n * interval '1 second'
  from generate_series(1, {rows}) as n;
insert into messages (account_id, body, sent_at)
  select 1 + n % {rows}, 'message ' || n, timestamptz '2026-01-01' + n * interval '1 second'
  from generate_series(1, {rows}) as n;
insert into events (account_id, kind, at)
  select 1 + n % {rows}, 'login', timestamptz '2026-01-01' + n % 89 * interval '1 day'
  from generate_series(1, {rows}) as n;
"""


def build(dsn: str, rows: int) -> None:
    """Create the tables with `rows` rows each."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SET_UP.encode())
        connection.execute(FILL.format(rows=rows).encode())
        connection.execute("vacuum (analyze, freeze)")

"""A disk that is full when the ledger is to be written."""

from __future__ import annotations

import psycopg
import pytest

FULL = """
create or replace function gate.come(here text) returns void
language plpgsql set search_path = pg_catalog as $$
begin
  perform from gate.target where here like point;
  if found then
    raise disk_full using message = 'could not extend file: No space left on device';
  end if;
end $$
"""


@pytest.mark.parametrize(
    ("point", "direction", "committed", "status"),
    [
        ("insert start", "up", 0, 4),
        ("insert apply 6", "up", 5, 4),
        ("commit apply 6", "up", 5, 4),
        ("insert % 6", "up", 5, 4),
        ("insert apply 16", "up", 15, 4),
        ("insert intent 8 1", "up", 7, 4),
        ("insert done 8 1", "up", 7, 7),
        ("insert % 8 2", "up", 7, 7),
        ("commit done 8 4", "up", 7, 7),
        ("insert apply 8", "up", 7, 7),
        ("insert % 13 1", "up", 12, 4),
        ("insert apply 18", "up", 17, 4),
        ("insert intent 19 1", "up", 18, 4),
        ("insert done 19 1", "up", 18, 4),
        ("insert rollback 16", "down", 16, 4),
        ("insert done 9 1", "down", 9, 7),
        ("insert rollback 8", "down", 8, 7),
    ],
)
def test_a_ledger_that_cannot_be_written_stops_the_run_and_nothing_is_lost(
    here, spawn, point, direction, committed, status
) -> None:
    with here.database(direction) as dsn, psycopg.connect(dsn, autocommit=True) as other:
        other.execute(FULL)
        other.execute("insert into gate.target values (%s)", [point])

        process = spawn(dsn, direction)

        assert process.wait() == status
        assert "Traceback" not in process.output
        applied = other.execute("select count(*) from aigym_db.applied").fetchone()
        assert applied == (committed,)
        other.execute("truncate gate.target")
        assert here.again(dsn, direction) == here.holdings(direction)

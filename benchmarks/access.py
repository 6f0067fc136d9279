"""Throughput of the access tests of the reference database: cells and mutants per second.

For comparison, a part of the statements is executed as by a test suite in a client: savepoint, actor,
statement and rollback, each a round trip, without a check of the rows reached.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from psycopg import Connection, Error

from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.calls import call_trial
from aigym_db.access.equivalents import read_equivalents
from aigym_db.access.matrix import read_matrix
from aigym_db.access.mutants import MutationReport, mutate
from aigym_db.access.test_database import open_test_database
from aigym_db.access.trial import Trial, trial
from aigym_db.project.config import find
from benchmarks.measure import Goal, Table, call, interleaved

ROOT = Path(__file__).parent.parent
CLONES = min(4, os.cpu_count() or 1)
CELLS_PER_SECOND = 3_000
MUTANTS_PER_SECOND = 60
MUTANTS_S = 60
ROUNDS = 5
MUTANT_ROUNDS = 3
EVERY = 10
"""One statement in EVERY is also executed from the client."""
CLIENT, SERVER = "from the client", "one call of the server"


def main() -> None:
    project = find(ROOT)
    matrix = read_matrix(project.root)
    with ExitStack() as stack:
        place = stack.enter_context(open_test_database(project))
        connections = [stack.enter_context(place.connection()) for _ in range(CLONES)]
        tried = trial(connections, matrix)
        print(run_statements(tried), end="\n\n")
        print(run_cells(tried), end="\n\n")
        print(run_mutants(tried))


def run_cells(tried: Trial) -> Table:
    """All cells on one connection, and on several clones in parallel."""
    cells = sum(len(table_matrix.cells) for table_matrix in tried.matrix.tables.values())
    alone = replace(tried, connections=tried.connections[:1])
    single, parallel = "one connection", f"{len(tried.connections)} clones"
    times = interleaved({single: call(alone.outcomes), parallel: call(tried.outcomes)}, ROUNDS)
    speed = {name: cells / statistics.median(durations_ms) * 1000 for name, durations_ms in times.items()}
    word = "reached" if speed[parallel] >= CELLS_PER_SECOND else "MISSED"
    notes = [f"{name}: {rate:,.0f} cells a second" for name, rate in speed.items()]
    return Table(
        f"{cells:,} cells, {len(tried.statements):,} statements, {len(tried.matrix.actors)} actors",
        times,
        notes=[*notes, f"{word}: {CELLS_PER_SECOND:,} cells a second"],
    )


def run_statements(tried: Trial) -> Table:
    """A part of the statements that need no preparation."""
    sample = [statement for statement in tried.statements if statement.setup is None and not statement.each][
        ::EVERY
    ]
    connection = tried.connections[0]
    ways = {
        CLIENT: call(lambda: from_client(connection, tried, sample)),
        SERVER: call(lambda: tried.run_on([statement.id for statement in sample], connection)),
    }
    goals = {SERVER: (Goal(CLIENT, ratio=1),)}
    return Table(f"{len(sample):,} statements", interleaved(ways, ROUNDS), goals)


def from_client(
    connection: Connection[tuple[object, ...]], tried: Trial, sample: Sequence[AttemptStatement]
) -> None:
    """Execute the statements like a test suite in a client."""
    with connection.transaction(force_rollback=True):
        connection.execute("set local session_replication_role = replica")
        connection.execute("set local row_security = on")
        for statement in sample:
            actor = tried.matrix.actors[statement.cell.actor]
            settings = {
                "request.jwt.claims": actor.claims_text,
                **actor.settings,
                "role": actor.role,
            }
            connection.execute("savepoint one")
            for name, value in settings.items():
                connection.execute("select set_config(%s, %s, true)", [name, value])
            with suppress(Error):
                connection.execute(statement.body.encode())
            connection.execute("rollback to savepoint one")


def run_mutants(tried: Trial) -> Table:
    """All mutants, with results of the cells that are prepared once."""
    calls = call_trial(tried.connections, tried.matrix)
    results, outcomes = tried.run(), calls.outcomes()
    reports: list[MutationReport] = []

    def test() -> None:
        reports.append(mutate(tried, read_equivalents(ROOT), calls, results=results, outcomes=outcomes))

    name = f"{len(tried.connections)} clones"
    times = interleaved({name: call(test)}, MUTANT_ROUNDS)
    count, seconds = len(reports[-1].tested), statistics.median(times[name]) / 1000
    word = "reached" if count / seconds >= MUTANTS_PER_SECOND and seconds <= MUTANTS_S else "MISSED"
    goal = f"{word}: {MUTANTS_PER_SECOND} mutants a second, all in {MUTANTS_S} s"
    return Table(f"{count:,} mutants", times, notes=[f"{name}: {count / seconds:,.0f} a second", goal])


if __name__ == "__main__":
    main()

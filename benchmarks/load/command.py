"""Run both on clones of one database while the application runs, and print the table."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from aigym_db.database.servers.binaries import find
from aigym_db.database.servers.databases import clone, create_database, drop_database
from aigym_db.database.servers.server import Server
from aigym_db.database.servers.throwaway import throwaway
from benchmarks.load.application import LONG_READ_S, Workload, percentile, running_application
from benchmarks.load.chain import MIGRATIONS, Migration
from benchmarks.load.tables import build
from benchmarks.process import Command, Failed, measured

QUIET_S = 15.0
"""Duration of the run without migrations."""
OVER_MS = 300
"""Allowed excess of an application statement over the lock timeout, in milliseconds."""
LIMIT_S = 1_800.0
DOWN = "-- migrate:down irreversible: The benchmark does not roll back.\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The effect of one way to migrate on the application."""

    name: str
    workload: Workload
    seconds: float
    problem: str = ""
    """The error of the migrations, if any."""


def main() -> None:
    """Print the table."""
    arguments = _arguments()
    chain = MIGRATIONS[: arguments.migrations]
    with tempfile.TemporaryDirectory() as name, throwaway() as server:
        folder = Path(name)
        folder.chmod(0o755)
        _write(folder, chain, arguments.lock_timeout_ms)
        build(create_database(server, "original").dsn, arguments.rows)
        psql = find(server.name).program("psql")
        ways: dict[str, Callable[[str], Command | None]] = {
            "no migrations": lambda dsn: None,
            "aigym-db": lambda dsn: _ours(folder, dsn),
            "psql": lambda dsn: Command(
                [psql, dsn, "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(folder / "all.sql")]
            ),
        }
        outcomes = [_outcome(server, name, way, arguments.rows) for name, way in ways.items()]
    print("\n".join(_table(outcomes, arguments.rows, len(chain), arguments.lock_timeout_ms)))


def _outcome(server: Server, name: str, way: Callable[[str], Command | None], rows: int) -> Outcome:
    dsn = clone(server, "original").dsn
    try:
        problem = ""
        with running_application(dsn, rows) as workload:
            start_s = time.perf_counter()
            command = way(dsn)
            if command is None:
                time.sleep(QUIET_S)
            else:
                try:
                    measured(command, LIMIT_S)
                except Failed as failure:
                    problem = str(failure)
            seconds = time.perf_counter() - start_s
        return Outcome(name, workload, seconds, problem)
    finally:
        drop_database(server, str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))


def _write(folder: Path, chain: Sequence[Migration], lock_timeout_ms: int) -> None:
    """Write the same migrations for both."""
    (folder / "migrations").mkdir()
    (folder / "aigym-db.toml").write_text(f"lock_timeout_ms = {lock_timeout_ms}\n")
    script = []
    for version, migration in enumerate(chain, start=1):
        heading = f"-- migrate:up {migration.options}".rstrip()
        text = f"{heading}\n{migration.sql}\n{DOWN}"
        (folder / "migrations" / f"{version:04d}_{migration.name}.sql").write_text(text)
        script.append(
            f"begin;\n{migration.sql}\ncommit;\n" if migration.transaction else f"{migration.sql}\n"
        )
    (folder / "all.sql").write_text("".join(script))
    measured(_program(folder, "freeze"))


def _ours(folder: Path, dsn: str) -> Command:
    return _program(folder, "--database", dsn, "migrate")


def _program(folder: Path, *words: str) -> Command:
    program = Path(sys.executable).with_name("aigym-db")
    return Command([str(program), "-C", str(folder), *words])


def _table(outcomes: Sequence[Outcome], rows: int, migrations: int, lock_timeout_ms: int) -> list[str]:
    lines = [
        f"{migrations} migrations, four tables of {rows:,} rows, reports of {LONG_READ_S:g} s on each",
        "",
        f"{'':18}{'migrating':>11}{'statements':>12}{'failed':>8}{'median':>10}{'p99':>10}{'longest':>11}",
    ]
    for outcome in outcomes:
        times = outcome.workload.milliseconds
        lines.append(
            f"{outcome.name:18}{outcome.seconds:9.1f} s{len(times):12,}{len(outcome.workload.failures):8}"
            f"{percentile(times, 0.5):7.1f} ms{percentile(times, 0.99):7.1f} ms{max(times):8.0f} ms"
        )
    for outcome in outcomes:
        lines.append(f"the longest, {outcome.name}: {outcome.workload.slowest[1]}")
        lines += [f"failed, {outcome.name}: {text}" for text in sorted(set(outcome.workload.failures))]
        lines += [f"{outcome.name} ended early: {outcome.problem}"] if outcome.problem else []
    ours = next(outcome for outcome in outcomes if outcome.name == "aigym-db")
    longest, limit = max(ours.workload.milliseconds), lock_timeout_ms + OVER_MS
    goals = {
        "all migrations applied": not ours.problem,
        "no statement of the application failed": not ours.workload.failures,
        f"longest stall ≤ {limit} ms (measured: {longest:.0f} ms)": longest <= limit,
    }
    return lines + [f"{'reached' if reached else 'MISSED'}: {goal}" for goal, reached in goals.items()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks load --")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows in each of the four tables")
    parser.add_argument(
        "--migrations", type=int, default=len(MIGRATIONS), help="number of migrations of the chain"
    )
    parser.add_argument(
        "--lock-timeout-ms",
        type=int,
        default=2_000,
        help="lock timeout of aigym-db in milliseconds; psql waits without limit",
    )
    return parser.parse_args()

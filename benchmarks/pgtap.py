"""The cells of ten tables, executed by aigym-db and by a generated pgTAP script, on PostgreSQL 15.

The script contains the same statements as the same actors, in one transaction: a savepoint, the actor, the
statement in `is`, `lives_ok` or `throws_ok`, a query of the rows it wrote, and ROLLBACK TO. psql executes it.
What pgTAP does not compare without further statements (which row of several a policy rejects) is left out.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from aigym_db.access.matrix import read_matrix
from aigym_db.access.outcomes import AttemptResult
from aigym_db.access.test_database import open_test_database
from aigym_db.access.trial import Trial, trial
from aigym_db.database.servers.binaries import find as find_programs
from aigym_db.errors import ServerUnfit
from aigym_db.model.access import Actor
from aigym_db.project.config import find
from aigym_db.syntax.quote import literal
from benchmarks.measure import Goal, Table, call, interleaved

ROOT = Path(__file__).parent.parent
SERVER = "system:15"
PACKAGES = "Install the Debian packages postgresql-15 and postgresql-15-pgtap."
TABLES = 10
ROUNDS = 3
SINGLE, CLONES, PGTAP = "aigym-db, one connection", "aigym-db, two clones", "pgTAP with psql"


def main() -> None:
    try:
        programs = find_programs(SERVER)
    except ServerUnfit as error:
        print(f"skipped: {error} {PACKAGES}")
        return
    project = find(ROOT)
    matrix = read_matrix(project.root)
    with ExitStack() as stack:
        base = stack.enter_context(open_test_database(project, SERVER))
        dsn = stack.enter_context(base.database())
        first, second, other = (stack.enter_context(base.connection()) for _ in range(3))
        if other.execute("select from pg_available_extensions where name = 'pgtap'").fetchone() is None:
            print(f"skipped: pgTAP is not installed. {PACKAGES}")
            return
        names = sorted(matrix.tables)
        tried = trial([first, second], matrix, set(names[:: len(names) // TABLES][:TABLES]))
        single = replace(tried, connections=(first,))
        results = single.run()
        psql = [programs.program("psql"), "-d", dsn, "-v", "ON_ERROR_STOP=1", "-XAtq"]
        subprocess.run(
            [*psql, "-c", "create schema tap", "-c", "create extension pgtap schema tap"], check=True
        )
        subprocess.run([*psql, "-c", "grant usage on schema tap to public"], check=True)
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write("\n".join(statements(tried, results)))
            script.flush()
            ways = {
                SINGLE: call(single.run),
                CLONES: call(tried.run),
                PGTAP: call(lambda: run_pgtap([*psql, "-f", script.name], len(results))),
            }
            times = interleaved(ways, ROUNDS)
    cells = sum(len(matrix.tables[name].cells) for name in tried.fixtures)
    print(
        Table(
            f"{cells:,} cells of {len(tried.fixtures)} tables, {len(results):,} statements",
            times,
            {SINGLE: [Goal(PGTAP, ratio=0.1)], CLONES: [Goal(PGTAP, ratio=0.1)]},
        )
    )


def statements(tried: Trial, results: Sequence[AttemptResult]) -> Iterator[str]:
    """Yield the pgTAP script for statements with these results."""
    yield "begin; set local search_path = tap; set local session_replication_role = replica;"
    yield "set local row_security = on; select no_plan();"
    setup: str | None = None
    for result in sorted(results, key=lambda result: (result.statement.setup or "", result.statement.id)):
        statement = result.statement
        if statement.setup != setup:
            if setup is not None:
                yield "rollback to setup; release setup;"
            setup = statement.setup
            yield f"savepoint setup; {setup};"
        actor = tried.matrix.actors[statement.cell.actor]
        name = literal(str(statement.cell))
        yield f"savepoint cell; {act(actor)}"
        expected = f"{literal(tuple(statement.expected))}::text[]"
        if result.state is not None:
            yield f"select throws_ok({literal(statement.body)}, {literal(result.state)}, null, {name});"
        elif statement.observe is None and statement.success is None:
            yield f"select is(({statement.body}), {expected}, {name});"
        else:
            yield f"select lives_ok({literal(statement.body)}, {name});"
            if statement.observe:
                yield "reset role;"
                yield f"select is(({statement.observe}), {expected}, {name});"
        yield "rollback to cell; release cell;"
    yield "rollback;"


def act(actor: Actor) -> str:
    """Return the statement that sets claims, settings and role."""
    settings = {
        "request.jwt.claims": actor.claims_text,
        **actor.settings,
        "role": actor.role,
    }
    calls = ", ".join(
        f"set_config({literal(name)}, {literal(value)}, true)" for name, value in settings.items()
    )
    return f"select count(*) from (select {calls}) as actor \\g /dev/null"


def run_pgtap(command: Sequence[str], count: int) -> None:
    """Execute the script; exit with its output if a test fails or is missing."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    passed = sum(line.startswith("ok ") for line in lines)
    if done.returncode or passed < count or any(line.startswith("not ok") for line in lines):
        failed = [line for line in lines if not line.startswith("ok ")][:20]
        raise SystemExit("\n".join([f"{passed} of {count} passed", *failed, done.stderr]))


if __name__ == "__main__":
    main()

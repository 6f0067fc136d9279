"""Migrating processes for tests to kill.

`python runner.py` reads requests, one a line: `start` with what to run, as JSON, is answered with the number
of a process that runs it; `wait` and that number with how it ended. It has imported everything before, so a
process starts as fast as it can be forked.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
from pathlib import Path
from typing import Any

from aigym_db.database import connect
from aigym_db.errors import AigymError
from aigym_db.migrate import preflight
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback
from aigym_db.migrate.transactional import message_batch
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations

CHAIN = Path(__file__).parent / "chain"


class Printer(Observer):
    """Says what is finished, as soon as it is."""

    def finished(self, finished: Finished) -> None:
        print(f"finished {finished.migration.version}", flush=True)


def run(wanted: dict[str, Any]) -> int:
    """Migrates or rolls back; the exit status of the command line."""
    # What goes into one message must not depend on how fast the machine is.
    message_batch.ENOUGH_MS = 1e9
    connect.CHECK_INTERVAL_MS = wanted.get("check_interval_ms", connect.CHECK_INTERVAL_MS)
    line = migrations(Project(Path(wanted["project"])))
    options = Options(**wanted.get("options", {}))
    try:
        if wanted["direction"] == "up":
            migrate(wanted["dsn"], line, options=options, observer=Printer())
        else:
            rollback(wanted["dsn"], line, to=0, yes=True, options=options, observer=Printer())
    except AigymError as refusal:
        print(f"{refusal.code} {refusal}\n{refusal.detail}", flush=True)
        return refusal.exit_status
    return 0


def start(wanted: dict[str, Any]) -> int:
    """The number of a process that runs what is wanted, and writes what it has to say into `output`."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        output = os.open(wanted["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        status = run(wanted)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def warm_up() -> None:
    """Imports what is else imported on first use, in every process again."""
    for module in pkgutil.walk_packages(
        importlib.import_module("aigym_db.migrate").__path__, "aigym_db.migrate."
    ):
        importlib.import_module(module.name)
    importlib.import_module("pglast.printers")
    for migration in migrations(Project(CHAIN)):
        preflight.steps(migration.up)


def main() -> None:
    """Answers requests until there are none any more."""
    warm_up()
    for line in sys.stdin:
        word, _, rest = line.partition(" ")
        if word == "start":
            print(start(json.loads(rest)), flush=True)
        else:
            print(os.waitstatus_to_exitcode(os.waitpid(int(rest), 0)[1]), flush=True)


if __name__ == "__main__":
    main()

"""Processes that migrate, for tests to kill.

`python runner.py` reads requests from standard input, one per line, and prints a number for each: the pid
of a new process for `start` and a JSON object, its exit status for `wait` and the pid. All modules are
imported before the first request, so that a process starts as fast as a fork.
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
    """Print each finished migration at once."""

    def finished(self, finished: Finished) -> None:
        print(f"finished {finished.migration.version}", flush=True)


def run(request: dict[str, Any]) -> int:
    """Migrate or roll back, and return the exit status of the command line."""
    # The size of a message must not depend on the speed of the machine.
    message_batch.ENOUGH_MS = 1e9
    connect.CHECK_INTERVAL_MS = request.get("check_interval_ms", connect.CHECK_INTERVAL_MS)
    line = migrations(Project(Path(request["project"])))
    options = Options(**request.get("options", {}))
    try:
        if request["direction"] == "up":
            migrate(request["dsn"], line, options=options, observer=Printer())
        else:
            rollback(request["dsn"], line, to=0, yes=True, options=options, observer=Printer())
    except AigymError as error:
        print(f"{error.code} {error}\n{error.detail}", flush=True)
        return error.exit_status
    return 0


def start(request: dict[str, Any]) -> int:
    """Return the pid of a new process that executes a request and writes its output to the file `output`."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        status = run(request)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def warm_up() -> None:
    """Import the modules that would be imported on first use, once instead of in every process."""
    package = importlib.import_module("aigym_db.migrate")
    for module in pkgutil.walk_packages(package.__path__, "aigym_db.migrate."):
        importlib.import_module(module.name)
    importlib.import_module("pglast.printers")
    for migration in migrations(Project(CHAIN)):
        preflight.steps(migration.up)


def main() -> None:
    """Execute requests until the end of standard input."""
    warm_up()
    for line in sys.stdin:
        word, _, rest = line.partition(" ")
        if word == "start":
            print(start(json.loads(rest)), flush=True)
        else:
            print(os.waitstatus_to_exitcode(os.waitpid(int(rest), 0)[1]), flush=True)


if __name__ == "__main__":
    main()

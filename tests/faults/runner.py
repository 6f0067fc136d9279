"""A migrating process for tests to kill: `python runner.py DSN PROJECT`; it prints what is finished."""

from __future__ import annotations

import sys
from pathlib import Path

from aigym_db.errors import AigymError
from aigym_db.migrate import together
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations


class Printer(Observer):
    def finished(self, finished: Finished) -> None:
        print(f"finished {finished.migration.version}", flush=True)


def main(dsn: str, folder: str) -> int:
    # What goes into one message must not depend on how fast the machine is.
    together.ENOUGH_MS = 1e9
    try:
        migrate(dsn, migrations(Project(Path(folder))), observer=Printer())
    except AigymError as refusal:
        print(f"{refusal.code} {refusal}\n{refusal.detail}", flush=True)
        return refusal.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

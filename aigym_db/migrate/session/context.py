"""The context of a run."""

from __future__ import annotations

from dataclasses import dataclass

from aigym_db.migrate.observer import Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.stop import Stop


@dataclass(frozen=True, slots=True)
class RunContext:
    """The database, the options, the observer and the stop request of a run."""

    dsn: str
    options: Options
    observer: Observer
    stop: Stop

"""What every step of a run is told."""

from __future__ import annotations

from dataclasses import dataclass

from aigym_db.migrate.observer import Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.stop import Stop


@dataclass(frozen=True, slots=True)
class RunContext:
    """Where to migrate and how, who is told of it, and who may stop it."""

    dsn: str
    options: Options
    observer: Observer
    stop: Stop

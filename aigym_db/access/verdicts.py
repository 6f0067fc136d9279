"""Verdicts of earlier runs: the keys of runs and of cells that matched.

A key is a digest of everything that the result depends on. Only matches are stored, so a cell that differs
is always tested again. The file is `.aigym-db/verdicts.json` of the project; it may be deleted at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from aigym_db.project.config import Project

_CELLS, _RUNS = 50_000, 50
"""Maximum number of keys of cells and of runs; the oldest are removed."""


@dataclass(frozen=True, slots=True)
class CellCounts:
    """Numbers of tables, actors, functions and cells of a run."""

    tables: int
    actors: int
    cells: int
    functions: int
    calls: int


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The stored keys of a project."""

    path: Path
    runs: dict[str, dict[str, int]]
    """The counts of runs without findings, by key."""
    cells: dict[str, None]
    """Keys of cells that matched, the most recent last."""

    def run(self, key: str | None) -> CellCounts | None:
        """Return the counts of a run without findings, or None if no such run is stored."""
        return CellCounts(**self.runs[key]) if key is not None and key in self.runs else None

    def record_run(self, key: str | None, counts: CellCounts) -> None:
        """Store a run without findings."""
        if key is not None:
            self.runs[key] = asdict(counts)

    def record_cells(self, keys: Collection[str | None]) -> None:
        """Store cells that match, or mark them as used."""
        for key in keys:
            if key is not None:
                self.cells.pop(key, None)
                self.cells[key] = None

    def save(self) -> None:
        """Write the file; a project whose folder is not writable has no stored verdicts."""
        content = {
            "runs": dict([*self.runs.items()][-_RUNS:]),
            "cells": [*self.cells][-_CELLS:],
        }
        making = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            making.write_text(json.dumps(content), encoding="utf-8")
            making.replace(self.path)


def read_verdicts(project: Project) -> Verdicts:
    """Return the stored verdicts of a project; none if the file is missing or damaged."""
    path = project.local / "verdicts.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Verdicts(path, dict(content["runs"]), dict.fromkeys(content["cells"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Verdicts(path, {}, {})

"""Asking a throwaway database every answer, for `test` and for `up`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from aigym_db.access.findings import surfaces, with_triggers, wrong_answers
from aigym_db.access.matrix import AccessMatrix, answers
from aigym_db.access.test_database import stage
from aigym_db.access.trial import Trial, trial
from aigym_db.cli.app import App
from aigym_db.errors import BadCommandLine
from aigym_db.model.access import Outcome

_CLONES = 4
"""On how many clones answers and mutants are tried at once, at most."""


@dataclass(frozen=True)
class AccessReport:
    """The answers, what became of them, and the databases they were asked of, until the block ends."""

    answers: AccessMatrix
    trial: Trial
    outcomes: tuple[Outcome, ...]
    cells_per_second: int

    @property
    def tables(self) -> int:
        return len({outcome.cell.table for outcome in self.outcomes})

    @property
    def failed(self) -> int:
        return sum(not outcome.ok for outcome in self.outcomes)


@contextmanager
def asked(app: App, tables: tuple[str, ...] = ()) -> Iterator[AccessReport]:
    """Tries the answers of all tables, or of some, and reports what is wrong.

    Raises BadCommandLine (AIG-P013) for a table without answers, and what is wrong with sheets and templates.
    """
    sheets = answers(app.project.root)
    unknown = [name for name in tables if name not in sheets.sheets]
    if unknown:
        raise BadCommandLine(
            f"There are no answers for a table {unknown[0]}.",
            hint=f"Choose from: {', '.join(sheets.sheets)}.",
        )
    with ExitStack() as stack:
        place = stack.enter_context(stage(app.project, app.server))
        clones = min(_CLONES, os.cpu_count() or 1)
        connections = [stack.enter_context(place.connection()) for _ in range(clones)]
        tried = trial(connections, sheets, tables or None)
        began = time.perf_counter()
        outcomes = tried.outcomes()
        took_s = time.perf_counter() - began
        app.report.found(*wrong_answers(outcomes), *with_triggers(tried), *surfaces(tried))
        yield AccessReport(sheets, tried, outcomes, round(len(outcomes) / took_s))

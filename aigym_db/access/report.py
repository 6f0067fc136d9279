"""A test of the access matrix on a throwaway database."""

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
from aigym_db.errors import BadCommandLine
from aigym_db.model.access import Outcome
from aigym_db.model.finding import Finding
from aigym_db.project.config import Project

_CLONES = 4
"""Maximum number of clones on which cells and mutants are tested at the same time."""


@dataclass(frozen=True)
class AccessReport:
    """The access matrix, the outcome of each cell, and the test databases of the block."""

    answers: AccessMatrix
    trial: Trial
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    """Empty if every cell matches."""
    cells_per_second: int

    @property
    def tables(self) -> int:
        return len({outcome.cell.table for outcome in self.outcomes})

    @property
    def failed(self) -> int:
        return sum(not outcome.ok for outcome in self.outcomes)


@contextmanager
def access_report(project: Project, tables: tuple[str, ...] = ()) -> Iterator[AccessReport]:
    """Test the cells of all tables, or of some.

    Raise BadCommandLine (AIG-P013) for a table that the access matrix does not contain, and the errors of the
    matrix and the templates.
    """
    sheets = answers(project.root)
    unknown = [name for name in tables if name not in sheets.sheets]
    if unknown:
        raise BadCommandLine(
            f"There are no answers for a table {unknown[0]}.",
            hint=f"Choose from: {', '.join(sheets.sheets)}.",
        )
    with ExitStack() as stack:
        place = stack.enter_context(stage(project))
        clones = min(_CLONES, os.cpu_count() or 1)
        connections = [stack.enter_context(place.connection()) for _ in range(clones)]
        tried = trial(connections, sheets, tables or None)
        began = time.perf_counter()
        outcomes = tried.outcomes()
        took_s = time.perf_counter() - began
        findings = (*wrong_answers(outcomes), *with_triggers(tried), *surfaces(tried))
        yield AccessReport(sheets, tried, outcomes, findings, round(len(outcomes) / took_s))

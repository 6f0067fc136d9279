"""A test of the access matrix on a throwaway database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from aigym_db.access.calls import call_outcomes
from aigym_db.access.control import check_control
from aigym_db.access.findings import coverage_gaps, differing_calls, differing_cells
from aigym_db.access.matrix import AccessMatrix, read_matrix
from aigym_db.access.outcomes import AttemptResult
from aigym_db.access.test_database import open_test_database
from aigym_db.access.trial import Trial, trial
from aigym_db.access.trigger_differences import trigger_differences
from aigym_db.errors import BadCommandLine
from aigym_db.model.access import CallOutcome, Outcome
from aigym_db.model.finding import Finding
from aigym_db.project.config import Project

_CLONES = 4
"""Maximum number of clones on which cells and mutants are tested at the same time."""


@dataclass(frozen=True)
class AccessReport:
    """The access matrix, the outcome of each cell, and the test databases of the block."""

    matrix: AccessMatrix
    trial: Trial
    results: tuple[AttemptResult, ...]
    """The results of all statements without triggers."""
    outcomes: tuple[Outcome, ...]
    calls: tuple[CallOutcome, ...]
    """The outcomes of the calls of functions."""
    findings: tuple[Finding, ...]
    """Empty if every cell matches."""
    cells_per_second: int
    calls_per_second: int

    @property
    def tables(self) -> int:
        """The number of tables tested."""
        return len({outcome.cell.table for outcome in self.outcomes})

    @property
    def failed(self) -> int:
        """The number of cells whose actual rows differ from the expected ones."""
        return sum(not outcome.ok for outcome in self.outcomes)

    @property
    def failed_calls(self) -> int:
        """The number of call cells whose actual result differs from the expected one."""
        return sum(not outcome.ok for outcome in self.calls)

    @property
    def functions(self) -> int:
        """The number of functions tested."""
        return len({outcome.cell.function for outcome in self.calls})


@contextmanager
def access_report(project: Project, tables: tuple[str, ...] = ()) -> Iterator[AccessReport]:
    """Create the test database, test the cells of all tables and functions or of some, and return the report.

    The test database is removed after the block. `tables` can contain functions. Raise BadCommandLine
    (AIG-P013) for a table or function that the access matrix does not contain, BlindDetector (AIG-P018) if a
    deliberately wrong table is not reported, and the errors of the matrix and the templates.
    """
    matrix = read_matrix(project.root)
    unknown = [name for name in tables if name not in matrix.tables and name not in matrix.functions]
    if unknown:
        raise BadCommandLine(
            f"The access matrix does not contain the table or function {unknown[0]}.",
            hint=f"Choose from: {', '.join((*matrix.tables, *matrix.functions))}.",
        )
    with ExitStack() as stack:
        place = stack.enter_context(open_test_database(project))
        clones = min(_CLONES, os.cpu_count() or 1)
        connections = [stack.enter_context(place.connection()) for _ in range(clones)]
        check_control(connections[0], matrix)
        tried = trial(connections, matrix, tables or None)
        began = time.perf_counter()
        results = tuple(tried.run())
        outcomes = tried.outcomes(results)
        took_s = time.perf_counter() - began
        call_began = time.perf_counter()
        calls = call_outcomes(connections, matrix, tables or None)
        calls_took_s = time.perf_counter() - call_began
        findings = (
            *differing_cells(outcomes),
            *differing_calls(calls),
            *trigger_differences(tried, results, outcomes),
            *coverage_gaps(tried),
        )
        yield AccessReport(
            matrix,
            tried,
            results,
            outcomes,
            calls,
            findings,
            round(len(outcomes) / took_s),
            round(len(calls) / calls_took_s),
        )

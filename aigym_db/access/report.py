"""A test of the access matrix on a throwaway database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from aigym_db.access.calls import CallTrial, call_trial
from aigym_db.access.control import check_control
from aigym_db.access.escalations import escalations
from aigym_db.access.findings import coverage_gaps, differing_calls, differing_cells
from aigym_db.access.keys import cell_keys, row_sources, run_key
from aigym_db.access.matrix import AccessMatrix, read_matrix
from aigym_db.access.mutations import read_access_rules
from aigym_db.access.outcomes import AttemptResult
from aigym_db.access.reach import reach
from aigym_db.access.test_database import open_test_database
from aigym_db.access.trial import Trial, trial
from aigym_db.access.trigger_differences import trigger_differences
from aigym_db.access.verdicts import CellCounts, read_verdicts
from aigym_db.database.queries import query
from aigym_db.errors import BadCommandLine
from aigym_db.model.access import CallOutcome, Outcome
from aigym_db.model.finding import Finding
from aigym_db.model.wording import similar
from aigym_db.project.config import Project

_CLONES = 4
"""Maximum number of clones on which cells and mutants are tested at the same time."""


@dataclass(frozen=True)
class AccessReport:
    """The numbers of cells, the outcomes of those that were executed, and the findings."""

    counts: CellCounts
    """The numbers of all cells, including those whose verdicts are stored."""
    findings: tuple[Finding, ...]
    """Empty if every cell matches."""
    outcomes: tuple[Outcome, ...] = ()
    calls: tuple[CallOutcome, ...] = ()
    """The outcomes of the calls of functions."""
    cells_per_second: int = 0
    calls_per_second: int = 0
    trial: Trial | None = None
    """None if the verdicts of all cells are stored. Its connections are closed after the block."""
    results: tuple[AttemptResult, ...] = ()
    """The results of all statements without triggers."""
    call_trial: CallTrial | None = None

    @property
    def failed(self) -> int:
        """The number of cells whose actual rows differ from the expected ones."""
        return sum(not outcome.ok for outcome in self.outcomes)

    @property
    def failed_calls(self) -> int:
        """The number of call cells whose actual result differs from the expected one."""
        return sum(not outcome.ok for outcome in self.calls)


@contextmanager
def access_report(
    project: Project, tables: tuple[str, ...] = (), *, cache: bool = False, mutants: bool = False
) -> Iterator[AccessReport]:
    """Create the test database, test the cells of all tables and functions or of some, and return the report.

    With `cache`, cells whose verdicts are stored are not executed, and without a change since a run without
    findings, no database is created; the verdicts of the others are stored. The test database is removed
    after the block. `tables` can contain functions; with `mutants` also those without cells, whose mutants
    are killed by the cells of all tables.

    Raise BadCommandLine (AIG-P013) for a name that the access matrix does not contain, nor with `mutants` the
    database as that of a function; BlindDetector (AIG-P018) if a deliberately wrong table is not reported;
    and the errors of the matrix and the templates.
    """
    verdicts = read_verdicts(project) if cache else None
    key = run_key(project, tables) if verdicts else None
    counts = verdicts.run(key) if verdicts else None
    if counts is not None:
        yield AccessReport(counts, ())
        return
    matrix = read_matrix(project.root)
    unknown = [name for name in tables if name not in matrix.tables and name not in matrix.functions]
    if unknown and not mutants:
        raise _unknown(unknown[0], matrix)
    with ExitStack() as stack:
        place = stack.enter_context(open_test_database(project))
        clones = min(_CLONES, os.cpu_count() or 1)
        connections = [stack.enter_context(place.connection()) for _ in range(clones)]
        for connection in connections:
            connection.execute(query("access/plan_once").encode())
        if unknown:
            graph = read_access_rules(connections[0]).graph
            if missing := [name for name in unknown if not graph.named(name)]:
                raise _unknown(missing[0], matrix)
            tables = ()
        selected = [name for name in matrix.tables if not tables or name in tables]
        functions = [name for name in matrix.functions if not tables or name in tables]
        keys = (
            cell_keys(connections[0], matrix, selected, functions, row_sources(project)) if verdicts else ()
        )
        matched = {cell.name for cell in keys if verdicts and cell.key in verdicts.cells}
        check_control(connections[0], matrix)
        tried = trial(connections, matrix, tables or None, matched)
        began = time.perf_counter()
        results = tuple(tried.run())
        outcomes = tried.outcomes(results)
        took_s = time.perf_counter() - began
        reach_ = reach(connections[0], matrix, tried.functions)
        call_began = time.perf_counter()
        called = call_trial(connections, matrix, tables or None, matched, reach_)
        calls = called.outcomes()
        calls_took_s = time.perf_counter() - call_began
        escalated = escalations(tried, results, reach_)
        findings = (
            *differing_cells(outcomes),
            *differing_calls(calls),
            *trigger_differences(tried, results, outcomes),
            *escalated.findings,
            *coverage_gaps(tried),
        )
        counts = CellCounts(
            len(selected),
            len(matrix.actors),
            sum(len(matrix.tables[name].cells) for name in selected),
            len(functions),
            sum(len(matrix.functions[name].cells) for name in functions),
        )
        if verdicts:
            places = {finding.place for finding in findings}
            verdicts.record_cells(
                [
                    cell.key
                    for cell in keys
                    if places.isdisjoint(cell.places) and cell.name not in escalated.compared
                ]
            )
            if not findings:
                verdicts.record_run(key, counts)
            verdicts.save()
        yield AccessReport(
            counts,
            findings,
            outcomes,
            calls,
            round(len(outcomes) / took_s),
            round(len(calls) / calls_took_s),
            tried,
            results,
            called,
        )


def _unknown(name: str, matrix: AccessMatrix) -> BadCommandLine:
    near = similar(name, (*matrix.tables, *matrix.functions))
    return BadCommandLine(
        f"The access matrix does not contain the table or function {name}.",
        hint=f"Write {near[0]}."
        if near
        else "Run `aigym-db test` without names: it lists the tables and functions without cells.",
    )

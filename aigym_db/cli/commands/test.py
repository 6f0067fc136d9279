"""`aigym-db test`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.model.wording import counted

if TYPE_CHECKING:
    from aigym_db.access.report import AccessReport


@click.command(short_help="Test the access matrix on a real database.")
@click.argument("tables", metavar="[TABLE]…", nargs=-1)
@click.option(
    "--mutants", is_flag=True, help="Also test mutants of policies and functions; a cell must kill each."
)
@pass_app
def command(app: App, tables: tuple[str, ...], mutants: bool) -> int:
    """Execute each cell of the access matrix as its actor, on a temporary database with seeds/test.

    Tests SELECT, inserted fixture rows, reassignments, writes with and without WHERE, and calls of functions.
    With TABLE, only the cells of these tables or functions. Each run also tests the control, a table with a
    deliberately wrong policy. Exit status 1 if a cell differs or a mutant survives, 2 if the control is not
    found.
    """
    from aigym_db.access.report import access_report
    from aigym_db.report.documents import CallCounts, TestResults

    app.reject_database("a temporary database")
    report = app.report
    with access_report(app.project, tables) as result:
        report.add_findings(*result.findings)
        if result.outcomes or not result.calls:
            report.print_line(
                f"{len(result.outcomes) - result.failed:,} cells match ({counted(result.tables, 'table')} × "
                f"{counted(len(result.matrix.actors), 'actor')}), {result.failed:,} differ "
                f"({result.cells_per_second:,} cells per second)."
            )
        if result.calls:
            report.print_line(
                f"{len(result.calls) - result.failed_calls:,} call cells match "
                f"({counted(result.functions, 'function')} × {counted(len(result.matrix.actors), 'actor')}), "
                f"{result.failed_calls:,} differ ({result.calls_per_second:,} cells per second)."
            )
        report.print_line("control: found")
        report.add_results(
            lambda: TestResults(
                control="found",
                cells=len(result.outcomes),
                matching=len(result.outcomes) - result.failed,
                differing=result.failed,
                cells_per_second=result.cells_per_second,
                calls=CallCounts(
                    cells=len(result.calls),
                    matching=len(result.calls) - result.failed_calls,
                    differing=result.failed_calls,
                    cells_per_second=result.calls_per_second,
                ),
            )
        )
        if mutants:
            _test_mutants(app, result, tables)
    return 1 if report.findings else 0


def _test_mutants(app: App, result: AccessReport, tables: tuple[str, ...]) -> None:
    from aigym_db.access.equivalents import read_equivalents
    from aigym_db.access.findings import surviving_mutants
    from aigym_db.access.mutants import mutate
    from aigym_db.report.documents import MutantCounts, TestResults

    began = time.perf_counter()
    done = mutate(
        result.trial, read_equivalents(app.project.root), results=result.results, tables=tables or None
    )
    took_s = time.perf_counter() - began
    app.report.add_findings(*surviving_mutants(done.survivors))
    explained = sum(bool(survivor.equivalent) for survivor in done.survivors)
    tried = len(done.killed) + len(done.survivors)
    app.report.print_line(
        f"{counted(tried, 'mutant')}, {len(done.killed)} killed, {explained} declared equivalent, "
        f"{len(done.survivors) - explained} survived ({tried / took_s:,.0f} mutants per second)."
    )
    counts = MutantCounts(
        tried=tried,
        killed=len(done.killed),
        equivalent={
            survivor.mutant.id: survivor.equivalent for survivor in done.survivors if survivor.equivalent
        },
        survived=[survivor.mutant.id for survivor in done.survivors if not survivor.equivalent],
        rejected=dict(done.failed),
    )
    app.report.add_results(lambda: TestResults(mutants=counts))

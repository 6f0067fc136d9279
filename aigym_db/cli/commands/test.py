"""`aigym-db test`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine
from aigym_db.model.wording import counted

if TYPE_CHECKING:
    from aigym_db.access.mutants import MutationReport
    from aigym_db.access.report import AccessReport


@click.command(short_help="Test the access matrix on a real database.")
@click.argument("tables", metavar="[TABLE]…", nargs=-1)
@click.option(
    "--mutants", is_flag=True, help="Also test mutants of policies and functions; a cell must kill each."
)
@click.option(
    "--equivalents",
    is_flag=True,
    help="With --mutants, also test the mutants declared equivalent; a cell that kills one is an error.",
)
@click.option(
    "--cache/--no-cache",
    default=None,
    help="Skip the cells whose verdicts are stored, or execute all (default: skip them, but not with "
    "--mutants or if the environment variable CI is set).",
)
@pass_app
def command(app: App, tables: tuple[str, ...], mutants: bool, equivalents: bool, cache: bool | None) -> int:
    """Execute each cell of the access matrix as its actor, on a temporary database with seeds/test.

    Tests SELECT, inserted fixture rows, reassignments, writes with and without WHERE, and calls of functions.
    With TABLE, only the cells of these tables or functions. Cells that matched in an earlier run are not
    executed again unless something changed on which their result depends. Each run that creates the database
    also tests the control, a table with a deliberately wrong policy. Exit status 1 if a cell differs or a
    mutant survives, 2 if the control is not found.
    """
    from aigym_db.access.report import access_report
    from aigym_db.report.documents import CallCounts, TestResults

    app.reject_database("a temporary database")
    if equivalents and not mutants:
        raise BadCommandLine("--equivalents needs --mutants.", hint="Add --mutants.")
    if mutants and cache:
        raise BadCommandLine(
            "--cache cannot be used with --mutants, which needs the results of all cells.",
            hint="Remove one of the options.",
        )
    report = app.report
    cached = not (mutants or os.environ.get("CI")) if cache is None else cache
    with access_report(app.project, tables, cache=cached, mutants=mutants) as result:
        counts = result.counts
        report.add_findings(*result.findings)
        if counts.cells or not counts.calls:
            report.print_line(
                f"{counts.cells - result.failed:,} cells match ({counted(counts.tables, 'table')} × "
                f"{counted(counts.actors, 'actor')}), {result.failed:,} differ "
                f"({_origin(counts.cells, len(result.outcomes), result.cells_per_second)})."
            )
        if counts.calls:
            report.print_line(
                f"{counts.calls - result.failed_calls:,} call cells match "
                f"({counted(counts.functions, 'function')} × {counted(counts.actors, 'actor')}), "
                f"{result.failed_calls:,} differ "
                f"({_origin(counts.calls, len(result.calls), result.calls_per_second)})."
            )
        report.print_line("control: found")
        report.add_results(
            lambda: TestResults(
                control="found",
                cells=counts.cells,
                matching=counts.cells - result.failed,
                differing=result.failed,
                cached=counts.cells - len(result.outcomes),
                cells_per_second=result.cells_per_second,
                calls=CallCounts(
                    cells=counts.calls,
                    matching=counts.calls - result.failed_calls,
                    differing=result.failed_calls,
                    cached=counts.calls - len(result.calls),
                    cells_per_second=result.calls_per_second,
                ),
            )
        )
        if mutants:
            _test_mutants(app, result, tables, equivalents)
    return 1 if report.findings else 0


def _origin(cells: int, executed: int, per_second: int) -> str:
    """Return the number of cells whose verdicts are stored, and the speed of the others."""
    cached = f"{cells - executed:,} from the cache" if executed < cells else ""
    speed = f"{per_second:,} cells per second" if executed else ""
    return ", ".join(filter(None, (cached, speed)))


def _test_mutants(app: App, result: AccessReport, tables: tuple[str, ...], equivalents: bool) -> None:
    from aigym_db.access.equivalents import read_equivalents
    from aigym_db.access.findings import surviving_mutants
    from aigym_db.access.mutants import mutate
    from aigym_db.model.access import MUTANT_KINDS
    from aigym_db.report.documents import MutantCounts, MutantKindCounts, TestResults

    assert result.trial is not None, "without the cache, every cell is executed"
    began = time.perf_counter()
    done = mutate(
        result.trial,
        read_equivalents(app.project.root),
        result.call_trial,
        results=result.results,
        outcomes=result.calls,
        names=tables or None,
        test_equivalents=equivalents,
    )
    took_s = time.perf_counter() - began
    app.report.add_findings(*surviving_mutants(done.survivors, result.trial.matrix))
    kinds = {kind: done.of_kind(kind) for kind in MUTANT_KINDS}
    for kind, part in kinds.items():
        if part.mutants:
            app.report.print_line(f"{counted(part.tried, f'{kind} mutant')}, {_listed(part)}.")
    for name in done.without or (() if done.mutants else ("The database",)):
        app.report.print_line(f"{name}: no mutation operator applies, so there are no mutants.")
    speed = round(len(done.tested) / took_s)
    if done.mutants:
        app.report.print_line(
            f"{counted(done.tried, 'mutant')}, {_listed(done)} ({speed:,} mutants per second)."
        )
    counts = MutantCounts(
        tried=done.tried,
        killed=len(done.killed),
        kinds={
            kind: MutantKindCounts(
                tried=part.tried,
                killed=len(part.killed),
                equivalent=part.equivalent,
                survived=len(part.survivors) - part.equivalent,
            )
            for kind, part in kinds.items()
        },
        mutants_per_second=speed,
        equivalent={
            survivor.mutant.id: survivor.equivalent for survivor in done.survivors if survivor.equivalent
        },
        survived=[survivor.mutant.id for survivor in done.survivors if not survivor.equivalent],
        rejected=dict(done.failed),
    )
    app.report.add_results(lambda: TestResults(mutants=counts))


def _listed(mutants: MutationReport) -> str:
    survived = len(mutants.survivors) - mutants.equivalent
    return f"{len(mutants.killed)} killed, {mutants.equivalent} declared equivalent, {survived} survived"

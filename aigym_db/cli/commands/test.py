"""`aigym-db test`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.model.wording import counted

if TYPE_CHECKING:
    from aigym_db.access.report import AccessReport


@click.command(short_help="Prove that each role can do exactly what the answers say.")
@click.argument("tables", metavar="[TABLE]…", nargs=-1)
@click.option("--mutants", is_flag=True, help="Also break each policy on purpose; some answer must notice.")
@pass_app
def command(app: App, tables: tuple[str, ...], mutants: bool) -> int:
    """Asks a throwaway database with the rows of seeds/test, as each actor, for each table and command.

    Every cell of the answers sheets is tried: reads, forged rows, moves, statements with and without WHERE.
    With TABLE, only the answers of these tables. Exit status 1 when a cell differs or a mutant survives.
    """
    from aigym_db.access.report import access_report

    app.reject_database("a temporary database")
    report = app.report
    with access_report(app.project, tables) as found:
        report.found(*found.findings)
        report.say(
            f"{len(found.outcomes)} answers about {counted(found.tables, 'table')} as "
            f"{counted(len(found.answers.actors), 'actor')}, {found.failed or 'none'} of them wrong "
            f"({found.cells_per_second:,} a second)."
        )
        report.data |= {
            "cells": len(found.outcomes),
            "failed": found.failed,
            "cells_per_second": found.cells_per_second,
        }
        if mutants:
            _break(app, found, tables)
    return 1 if report.findings else 0


def _break(app: App, found: AccessReport, tables: tuple[str, ...]) -> None:
    from aigym_db.access.equivalents import equivalents
    from aigym_db.access.findings import survivors
    from aigym_db.access.mutants import mutate

    began = time.perf_counter()
    done = mutate(found.trial, equivalents(app.project.root), tables=tables or None)
    took_s = time.perf_counter() - began
    app.report.found(*survivors(done.survivors))
    explained = sum(bool(survivor.equivalent) for survivor in done.survivors)
    tried = len(done.killed) + len(done.survivors)
    app.report.say(
        f"{counted(tried, 'mutant')}, {len(done.killed)} killed, {explained} declared equivalent, "
        f"{len(done.survivors) - explained} survive ({tried / took_s:,.0f} a second)."
    )
    app.report.data["mutants"] = {
        "tried": tried,
        "killed": len(done.killed),
        "equivalent": {one.mutant.id: one.equivalent for one in done.survivors if one.equivalent},
        "survived": [one.mutant.id for one in done.survivors if not one.equivalent],
        "not_accepted": dict(done.failed),
    }

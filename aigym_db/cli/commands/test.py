"""`aigym-db test`."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine

_CLONES = 4
"""On how many clones answers and mutants are tried at once, at most."""


@click.command(short_help="Prove that each role can do exactly what the answers say.")
@click.argument("tables", metavar="[TABLE]…", nargs=-1)
@click.option("--mutants", is_flag=True, help="Also break each policy on purpose; some answer must notice.")
@pass_app
def command(app: App, tables: tuple[str, ...], mutants: bool) -> int:
    """Asks a throwaway database with the rows of seeds/test, as each actor, for each table and command.

    Every cell of the answers sheets is tried: reads, forged rows, moves, statements with and without WHERE.
    With TABLE, only the answers of these tables. Exit status 1 when a cell differs or a mutant survives.
    """
    from aigym_db.access.answers import answers
    from aigym_db.access.equivalents import equivalents
    from aigym_db.access.findings import surfaces, survivors, with_triggers, wrong_answers
    from aigym_db.access.mutants import mutate
    from aigym_db.access.run import trial
    from aigym_db.access.stage import stage

    app.refuse_database("throwaway ones")
    sheets = answers(app.project.root)
    unknown = [name for name in tables if name not in sheets.sheets]
    if unknown:
        raise BadCommandLine(
            f"There are no answers for a table {unknown[0]}.",
            hint=f"Choose from: {', '.join(sheets.sheets)}.",
        )
    report = app.report
    with ExitStack() as stack:
        place = stack.enter_context(stage(app.project, app.server))
        clones = min(_CLONES, os.cpu_count() or 1)
        connections = [stack.enter_context(place.connection()) for _ in range(clones)]
        first = trial(connections, sheets, tables or None)
        began = time.perf_counter()
        outcomes = first.outcomes()
        took = time.perf_counter() - began
        report.found(*wrong_answers(outcomes), *with_triggers(first), *surfaces(first))
        failed = sum(not outcome.ok for outcome in outcomes)
        names = {outcome.cell.table for outcome in outcomes}
        report.say(
            f"{len(outcomes)} answers about {len(names)} tables as {len(sheets.actors)} actors, "
            f"{failed or 'none'} of them wrong ({len(outcomes) / took:,.0f} a second)."
        )
        report.data |= {
            "cells": len(outcomes),
            "failed": failed,
            "cells_per_second": round(len(outcomes) / took),
        }
        if mutants:
            began = time.perf_counter()
            done = mutate(first, equivalents(app.project.root), tables=tables or None)
            took = time.perf_counter() - began
            report.found(*survivors(done.survivors))
            explained = sum(bool(survivor.equivalent) for survivor in done.survivors)
            tried = len(done.killed) + len(done.survivors)
            report.say(
                f"{tried} mutants, {len(done.killed)} killed, {explained} declared equivalent, "
                f"{len(done.survivors) - explained} survive ({tried / took:,.0f} a second)."
            )
            report.data["mutants"] = {
                "tried": tried,
                "killed": len(done.killed),
                "equivalent": {one.mutant.id: one.equivalent for one in done.survivors if one.equivalent},
                "survived": [one.mutant.id for one in done.survivors if not one.equivalent],
                "not_accepted": dict(done.failed),
            }
    return 1 if report.findings else 0

"""A run while a migration outside a transaction is half-way: in the other direction, or with another file."""

from __future__ import annotations

from collections.abc import Iterable

from aigym_db.database import ledger
from aigym_db.database.partially_applied import PartialMigration, unfinished
from aigym_db.errors import PartiallyApplied
from aigym_db.migrate.non_transactional.journal import StartedStatement
from aigym_db.migrate.non_transactional.probe import probe
from aigym_db.migrate.session.migration_run import Run
from aigym_db.model.migration import Direction, Migration, Plan

_COMMAND = {"up": "migrate", "down": "rollback"}


def require_finished(run: Run, plan: Plan, migrations: Iterable[Migration]) -> None:
    """Nothing, when every migration that is half-way can go on in the direction of a plan, from its journal.

    One in the other direction cannot: its journal would go on one day in a database that is another one by
    then. Nor can one whose file is gone, or runs in a transaction now: what it did would be done again. Nor
    one that a rollback stops short of: the database is not where that would claim. With `--resolve done` in
    the other direction a person has put it back as it was before, and the ledger is told.
    Raises PartiallyApplied (AIG-H001).
    """
    files, direction = {migration.version: migration for migration in migrations}, plan.direction
    planned = {migration.version for migration in plan.migrations}
    for begun in unfinished(run.second, run.options.scope):
        other = begun.direction != direction
        lost = "" if other else _lost(begun, files.get(begun.version))
        short = not other and direction == "down" and begun.version not in planned
        done = _left(run, begun) if other or lost or short else ()
        if not done:
            continue
        if other and run.options.resolve == "done":
            _give_up(run, begun)
            continue
        raise PartiallyApplied(
            f"{begun.label} is {begun.half}, {lost or 'it was cut short outside a transaction'}.",
            detail="\n".join(["What it did and what stays:", *done]),
            hint=_way_out(run, begun, direction, short=short and not lost),
        )


def _lost(begun: PartialMigration, file: Migration | None) -> str:
    """Why the files cannot finish what was begun; empty when they can."""
    if file is None:
        return "and its file is not there any more"
    if file.name != begun.name:
        return f"and {file.label} has its number now"
    part = file.up if begun.direction == "up" else file.down
    if part is None or part.transaction:
        return "and its file does not run outside a transaction any more"
    return ""


def _way_out(run: Run, begun: PartialMigration, direction: Direction, *, short: bool) -> str:
    back = {"up": "down", "down": "up"}[begun.direction]
    by_hand = f"put back by hand what it did, and say so with `aigym-db {_COMMAND[back]} --resolve done`."
    versions = [row.version for row in ledger.applied(run.second, run.options.scope)]
    if short:
        before = max((version for version in versions if version < begun.version), default=0)
        return f"Finish it with `aigym-db rollback --to {before}`. If it cannot be finished, {by_hand}"
    if begun.direction == direction:
        return f"Restore the file as it was, with its name and its options, to finish it; or {by_hand}"
    command = _COMMAND[begun.direction]
    newest = max(versions, default=0)
    if begun.direction == "up" and begun.version < newest:
        command += f" --allow-out-of-order {begun.version}"
    return f"Finish it with `aigym-db {command}`, then run this again. If it cannot be finished, {by_hand}"


def _left(run: Run, begun: PartialMigration) -> list[str]:
    """The statements that are done, and the last one begun unless the catalog shows that nothing of it is."""
    found = ledger.journal(run.second, begun.version, begun.direction, run.options.scope)
    last = next((entry for entry in reversed(found) if entry.kind == "intent"), None)
    if begun.rows is not None:
        said = f": {last.sql}" if last else ""
        return [f"{begun.rows:,} rows changed in batches{said}"] if begun.rows else []
    done = {entry.statement: entry for entry in found if entry.kind == "done"}
    lines = [f"statement {number}: {entry.sql}" for number, entry in done.items()]
    if last is not None and last.statement not in done:
        what = StartedStatement(last.sql or "", last.detail)
        # On this connection names without a schema mean what they meant when it was begun.
        verdict = probe(run.session.connection, what.tree, what.sql).settle(what.detail)
        if verdict.half or verdict.outcome != "again":
            lines.append(f"statement {last.statement}, perhaps in part ({verdict.note}): {last.sql}")
    return lines


def _give_up(run: Run, begun: PartialMigration) -> None:
    kind: ledger.Kind = "revert" if begun.direction == "up" else "repair"
    run.record(
        ledger.Event(
            kind,
            begun.version,
            begun.name,
            begun.checksum,
            begun.direction,
            sql=ledger.stored_sql(run.second, begun.version, run.options.scope),
            detail={"resolved": "a person put it back as it was"},
            git_commit=run.options.git_commit,
            scope=run.options.scope,
        )
    )
    run.observer.given_up(begun.label, begun.half)

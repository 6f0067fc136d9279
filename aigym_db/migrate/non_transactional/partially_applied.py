"""Partially applied migrations that a run meets: in the other direction, or with another file."""

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
    """Raise PartiallyApplied (AIG-H001) if a partially applied migration cannot be resumed by this plan.

    A plan in the other direction is rejected: the journal would be resumed later, in a database that has
    changed by then. So is a migration whose file is missing or is transactional now, because its statements
    would run twice, and a rollback that ends before a migration that is partially rolled back. With
    `--resolve done` in the other direction, the migration is recorded as resolved manually instead.
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
            _resolve(run, begun)
            continue
        raise PartiallyApplied(
            f"{begun.label} is {begun.half}, {lost or 'interrupted in a non-transactional file'}.",
            detail="\n".join(["What it did and what stays:", *done]),
            hint=_way_out(run, begun, direction, short=short and not lost),
        )


def _lost(begun: PartialMigration, file: Migration | None) -> str:
    """Return why the files cannot resume the migration; empty if they can."""
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
    by_hand = f"reverse by hand what it did, then run `aigym-db {_COMMAND[back]} --resolve done`."
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
    """Return the statements that are done, and the last one sent unless it had no effect."""
    found = ledger.journal(run.second, begun.version, begun.direction, run.options.scope)
    last = next((entry for entry in reversed(found) if entry.kind == "intent"), None)
    if begun.rows is not None:
        said = f": {last.sql}" if last else ""
        return [f"{begun.rows:,} rows changed in batches{said}"] if begun.rows else []
    done = {entry.statement: entry for entry in found if entry.kind == "done"}
    lines = [f"statement {number}: {entry.sql}" for number, entry in done.items()]
    if last is not None and last.statement not in done:
        what = StartedStatement(last.sql or "", last.detail)
        # On this connection unqualified names resolve as they did when the statement was sent.
        verdict = probe(run.session.connection, what.tree, what.sql).settle(what.detail)
        if verdict.half or verdict.outcome != "again":
            lines.append(f"statement {last.statement}, perhaps in part ({verdict.note}): {last.sql}")
    return lines


def _resolve(run: Run, begun: PartialMigration) -> None:
    kind: ledger.Kind = "rollback" if begun.direction == "up" else "repair"
    run.record(
        ledger.Event(
            kind,
            begun.version,
            begun.name,
            begun.checksum,
            begun.direction,
            sql=ledger.stored_sql(run.second, begun.version, run.options.scope),
            detail={"resolved": "manually"},
            git_commit=run.options.git_commit,
            scope=run.options.scope,
        )
    )
    run.observer.resolved(begun.label, begun.direction)

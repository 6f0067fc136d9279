"""Partially applied migrations that a plan cannot resume: other direction, changed or missing file."""

from __future__ import annotations

from collections.abc import Iterable

from aigym_db.database import ledger
from aigym_db.database.partially_applied import PartialMigration, unfinished
from aigym_db.errors import PartiallyApplied
from aigym_db.migrate.non_transactional.journal import StartedStatement
from aigym_db.migrate.non_transactional.probe import probe
from aigym_db.migrate.session.migration_run import Run
from aigym_db.model.migration import Direction, Migration, Plan
from aigym_db.model.wording import counted

_COMMAND = {"up": "migrate", "down": "rollback"}


def require_finished(run: Run, plan: Plan, migrations: Iterable[Migration]) -> None:
    """Raise PartiallyApplied (AIG-H001) if a partially applied migration cannot be resumed by this plan.

    Three cases are rejected: a plan in the other direction, because the journal would be resumed later in a
    changed database; a migration whose file is missing or is transactional now, because its statements would
    run twice; and a rollback that does not reach a migration that is partially rolled back. With `--resolve
    done` in the other direction, the migration is recorded as resolved manually instead.
    """
    files, direction = {migration.version: migration for migration in migrations}, plan.direction
    planned = {migration.version for migration in plan.migrations}
    for partial in unfinished(run.second, run.options.scope):
        other = partial.direction != direction
        mismatch = "" if other else _file_mismatch(partial, files.get(partial.version))
        short = not other and direction == "down" and partial.version not in planned
        done = _statements_in_effect(run, partial) if other or mismatch or short else ()
        if not done:
            continue
        if other and run.options.resolve == "done":
            _resolve(run, partial)
            continue
        raise PartiallyApplied(
            f"{partial.label} is {partial.state}, and {mismatch or 'must be finished first'}.",
            detail="\n".join(["Statements that have taken effect:", *done]),
            hint=_hint(run, partial, direction, short=short and not mismatch),
        )


def _file_mismatch(partial: PartialMigration, file: Migration | None) -> str:
    """Return the reason why the files cannot resume the migration; empty if they can."""
    if file is None:
        return "its file is missing"
    if file.name != partial.name:
        return f"its version now belongs to {file.label}"
    part = file.up if partial.direction == "up" else file.down
    if part is None or part.transaction:
        return "its file is no longer non-transactional"
    return ""


def _hint(run: Run, partial: PartialMigration, direction: Direction, *, short: bool) -> str:
    back = {"up": "down", "down": "up"}[partial.direction]
    by_hand = f"reverse its effects by hand, then run `aigym-db {_COMMAND[back]} --resolve done`."
    versions = [row.version for row in ledger.applied(run.second, run.options.scope)]
    if short:
        before = max((version for version in versions if version < partial.version), default=0)
        return f"Finish it with `aigym-db rollback --to {before}`. If it cannot be finished, {by_hand}"
    if partial.direction == direction:
        return f"Restore the file, its name and its options, and finish it; or {by_hand}"
    command = _COMMAND[partial.direction]
    newest = max(versions, default=0)
    if partial.direction == "up" and partial.version < newest:
        command += f" --allow-out-of-order {partial.version}"
    return f"Finish it with `aigym-db {command}`, then retry. If it cannot be finished, {by_hand}"


def _statements_in_effect(run: Run, partial: PartialMigration) -> list[str]:
    """Return the statements that are done, and the last one sent unless it had no effect."""
    entries = ledger.journal(run.second, partial.version, partial.direction, run.options.scope)
    last = next((entry for entry in reversed(entries) if entry.kind == "intent"), None)
    if partial.rows is not None:
        statement = f": {last.sql}" if last else ""
        return [f"{counted(partial.rows, 'row')} changed in batches{statement}"] if partial.rows else []
    done = {entry.statement: entry for entry in entries if entry.kind == "done"}
    lines = [f"statement {number}: {entry.sql}" for number, entry in done.items()]
    if last is not None and last.statement not in done:
        started = StartedStatement(last.sql or "", last.detail)
        # On this connection unqualified names resolve as they did when the statement was sent.
        verdict = probe(run.session.connection, started.tree, started.sql).verdict(started.detail)
        if verdict.partial or verdict.outcome != "again":
            lines.append(f"statement {last.statement}, possibly in part ({verdict.note}): {last.sql}")
    return lines


def _resolve(run: Run, partial: PartialMigration) -> None:
    """Record that a migration was resolved manually, against its own direction."""
    kind: ledger.Kind = "rollback" if partial.direction == "up" else "repair"
    run.record(
        ledger.Event(
            kind,
            partial.version,
            partial.name,
            partial.checksum,
            partial.direction,
            sql=ledger.stored_sql(run.second, partial.version, run.options.scope),
            detail={"resolved": "manually"},
            git_commit=run.options.git_commit,
            scope=run.options.scope,
        )
    )
    run.observer.resolved(partial.label, partial.direction)

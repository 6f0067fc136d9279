"""What is left to do: a pure function of the files and the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from aigym_db.errors import (
    AigymError,
    BadCommandLine,
    EditedApplied,
    EditedFrozen,
    Irreversible,
    MissingApplied,
    OutOfOrder,
)
from aigym_db.model.migration import Applied, Migration, Plan


def plan_up(migrations: tuple[Migration, ...], ledger: tuple[Applied, ...], to: int | None = None) -> Plan:
    """What is left to apply, oldest first, up to and with version `to`.

    Raises MissingApplied (AIG-T002), EditedApplied (AIG-T003) or OutOfOrder (AIG-T004) when files and ledger
    do not agree, BadCommandLine (AIG-P013) when there is no version `to` or the database is already past it.
    """
    agree(migrations, ledger)
    newest = max((row.version for row in ledger), default=0)
    known = {migration.version for migration in migrations}
    if to is not None and to not in known:
        raise _unknown(to, known)
    if to is not None and to < newest:
        raise BadCommandLine(
            f"The database is at {newest:04d}, past {to:04d}.",
            hint=f"Run `aigym-db rollback --to {to}` to go back.",
        )
    pending = tuple(
        migration
        for migration in sorted(migrations, key=lambda migration: migration.version)
        if migration.version > newest and (to is None or migration.version <= to)
    )
    return Plan("up", pending, digest(ledger))


def plan_down(
    migrations: tuple[Migration, ...],
    ledger: tuple[Applied, ...],
    to: int | None = None,
    steps: int | None = None,
) -> Plan:
    """What to undo, newest first: everything after version `to` (0: everything), or the newest `steps`; one
    by default.

    Raises what `plan_up` raises, and Irreversible (AIG-G004) when a migration in the range cannot be undone:
    then none is.
    """
    if to is not None and steps is not None:
        raise BadCommandLine("`--to` and `--steps` exclude each other.", hint="Give one of them.")
    if steps is not None and steps < 1:
        raise BadCommandLine(f"`--steps {steps}` is no number of steps.", hint="Give 1 or more.")
    agree(migrations, ledger)
    files = {migration.version: migration for migration in migrations}
    ran = sorted((row.version for row in ledger), reverse=True)
    if to is not None and to != 0 and to not in ran:
        if to in files:
            raise BadCommandLine(
                f"{files[to].label} is not applied, so there is no going back to it.",
                hint=f"Run `aigym-db migrate --to {to}` to go forward.",
            )
        raise _unknown(to, {0, *files})
    chosen = [version for version in ran if version > to] if to is not None else ran[: steps or 1]
    if steps is not None and steps > len(ran):
        raise BadCommandLine(
            f"Only {len(ran)} migrations are applied; {steps} cannot be undone.",
            hint="Run `aigym-db rollback --to 0` to undo every one.",
        )
    undone = tuple(files[version] for version in chosen)
    for migration in undone:
        if migration.down is None:
            raise Irreversible(
                f"{migration.label} cannot be undone: {migration.irreversible}",
                place=migration.up.source.place(migration.up.end),
                hint=f"Go back no further than `--to {migration.version}`, or write a migration that mends "
                "forward.",
            )
    return Plan("down", undone, digest(ledger))


def agree(migrations: tuple[Migration, ...], ledger: tuple[Applied, ...]) -> None:
    """Nothing, when every applied migration is still there as it was and none was left out.

    Raises MissingApplied, EditedApplied or OutOfOrder.
    """
    files = {migration.version: migration for migration in migrations}
    missing = [row for row in ledger if row.version not in files or files[row.version].name != row.name]
    if missing:
        raise MissingApplied(
            f"This database has run {_list(_label(row) for row in missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not in migrations/.",
            hint="Bring the file back from version control, or check out the branch that has it.",
        )
    edited = edits(migrations, ledger)
    if edited:
        one = edited[0]
        others = f" So are {_list(other.label for other in edited[1:])}." if edited[1:] else ""
        raise EditedApplied(
            f"{one.file} is not what this database ran as {one.label}.{others}",
            place=one.up.source.place(0),
            hint="Restore the file from version control, and put the change into a new migration: "
            "`aigym-db new NAME`.",
        )
    ran = {row.version for row in ledger}
    newest = max(ran, default=0)
    late = [
        migration for migration in migrations if migration.version < newest and migration.version not in ran
    ]
    if late:
        raise OutOfOrder(
            f"{_list(migration.label for migration in late)} came after {newest:04d}, which is already "
            "applied.",
            hint="Give it the next free number, so that every database runs the same line of migrations.",
        )


def locked(migrations: Iterable[Migration], ledger: Iterable[Applied], frozen: frozenset[int]) -> None:
    """Nothing, when LOCK holds every migration that a database has run which takes only frozen ones.

    Raises EditedFrozen (AIG-T001): LOCK cannot tell by itself that its last lines were removed.
    """
    known = {migration.version for migration in migrations}
    lost = [row for row in ledger if row.version in known and row.version not in frozen]
    if lost:
        raise EditedFrozen(
            f"This database has run {_list(_label(row) for row in lost)}, and LOCK does not say so: "
            "a line was removed.",
            hint="Restore migrations/LOCK from version control, or check out the branch that froze it.",
        )


def edits(migrations: Iterable[Migration], ledger: Iterable[Applied]) -> tuple[Migration, ...]:
    """The applied migrations whose file has changed since, oldest first."""
    ran = {row.version: row.checksum for row in ledger}
    return tuple(
        migration
        for migration in sorted(migrations, key=lambda migration: migration.version)
        if migration.version in ran and ran[migration.version].rpartition(":")[2] != migration.checksum
    )


def digest(ledger: Iterable[Applied]) -> str:
    """A checksum of the ledger's present; another one means that somebody migrated in the meantime."""
    lines = sorted(
        f"{row.version} {row.name} {row.checksum} {row.applied_at.timestamp()}\n" for row in ledger
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _unknown(version: int, known: set[int]) -> AigymError:
    return BadCommandLine(
        f"There is no migration {version:04d}.",
        hint=f"Choose one from {min(known):04d} to {max(known):04d}."
        if known
        else "Write one: `aigym-db new NAME`.",
    )


def _label(row: Applied) -> str:
    return f"{row.version:04d} {row.name}"


def _list(labels: Iterable[str]) -> str:
    *rest, last = labels
    return f"{', '.join(rest)} and {last}" if rest else last

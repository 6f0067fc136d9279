"""What is left to do: a pure function of the files and the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from aigym_db.errors import (
    AigymError,
    BadCommandLine,
    EditedFrozen,
    EditedMigration,
    Irreversible,
    MissingMigration,
    OutOfOrder,
)
from aigym_db.migrate.phases import in_phase
from aigym_db.model.migration import Applied, Migration, Phase, Plan


def plan_up(
    migrations: tuple[Migration, ...],
    ledger: tuple[Applied, ...],
    to: int | None = None,
    phase: Phase | None = None,
    allowed: frozenset[int] = frozenset(),
) -> Plan:
    """What is left to apply, oldest first, up to and with version `to`; in `phase` only what is next for it
    in the line (`aigym_db.migrate.phases`).

    `allowed` are the versions that may run although a newer one is applied; not every database needs that.
    Raises MissingMigration (AIG-T002), EditedMigration (AIG-T003) or OutOfOrder (AIG-T004) when files and ledger
    do not agree, BadCommandLine (AIG-P013) when there is no version `to` or the database is already past it,
    WrongPhase (AIG-G008).
    """
    agree(migrations, ledger)
    newest = max((row.version for row in ledger), default=0)
    ran = {row.version for row in ledger}
    known = {migration.version for migration in migrations}
    late = tuple(one for one in _ordered(migrations) if one.version < newest and one.version not in ran)
    _require_allowed(late, ledger, allowed, known)
    if to is not None and to not in known:
        raise _unknown(to, known)
    if to is not None and to < newest and not late:
        raise BadCommandLine(
            f"The database is at {newest:04d}, past {to:04d}.",
            hint=f"Run `aigym-db rollback --to {to}` to go back.",
        )
    line = tuple(one for one in _ordered(migrations) if one.version not in ran)
    pending = tuple(one for one in line if to is None or one.version <= to)
    chosen = in_phase(pending, phase)
    return Plan(
        "up",
        chosen,
        digest(ledger),
        waiting=pending[len(chosen) :],
        late={one.version: newest for one in chosen if one.version < newest},
    )


def plan_down(
    migrations: tuple[Migration, ...],
    ledger: tuple[Applied, ...],
    to: int | None = None,
    steps: int | None = None,
    *,
    behind_too: bool = False,
) -> Plan:
    """What to undo, newest first: everything after version `to` (0: everything), or the newest `steps`; one
    by default.

    By number, also where one was applied out of order: every other database ran them so. A migration that is
    late and never ran is in nobody's way. A database that never came as far as `to` is refused, unless
    `behind_too`: then it has nothing to undo.
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
        behind = behind_too and all(version < to for version in ran)
        if to in files and not behind:
            raise BadCommandLine(
                f"{files[to].label} is not applied, so there is no going back to it.",
                hint=f"Run `aigym-db migrate --to {to}` to go forward.",
            )
        if to not in files:
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
    """Nothing, when every applied migration is still there as it was.

    Raises MissingMigration, which says of a renamed file where it went, or EditedMigration.
    """
    missing = absent(migrations, ledger)
    if missing:
        moved = {row: file for row in missing if (file := _renamed(row, migrations, ledger))}
        gone = [row for row in missing if row not in moved]
        said = [
            f"{_label(row)}, which this database has run, was renamed: its text is now {file.file}."
            for row, file in moved.items()
        ]
        if gone:
            said.insert(
                0,
                f"This database has run {_list(_label(row) for row in gone)}, which "
                f"{'is' if len(gone) == 1 else 'are'} not in migrations/.",
            )
        raise MissingMigration(
            " ".join(said),
            place=next((file.up.source.place(0) for file in moved.values()), None),
            hint="Bring the file back from version control, or check out the branch that has it."
            if gone
            else "Rename it back: "
            + _list(f"`git mv {file.file} {_file(row)}`" for row, file in moved.items())
            + ".",
        )
    edited = edits(migrations, ledger)
    if edited:
        one = edited[0]
        others = f" So are {_list(other.label for other in edited[1:])}." if edited[1:] else ""
        raise EditedMigration(
            f"{one.file} is not what this database ran as {one.label}.{others}",
            place=one.up.source.place(0),
            hint="Restore the file from version control, and put the change into a new migration: "
            "`aigym-db new NAME`.",
        )


def absent(migrations: Iterable[Migration], ledger: Iterable[Applied]) -> tuple[Applied, ...]:
    """What this database has run and has no file of that number and name, oldest first."""
    names = {migration.version: migration.name for migration in migrations}
    return tuple(row for row in ledger if names.get(row.version) != row.name)


def overtaken(ledger: Iterable[Applied]) -> dict[int, int]:
    """The migrations that ran out of order, by version, and the newest that was applied before each."""
    found: dict[int, int] = {}
    newest = 0
    for row in sorted(ledger, key=lambda row: (row.applied_at, row.version)):
        if row.version < newest:
            found[row.version] = newest
        newest = max(newest, row.version)
    return found


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
    ran = {row.version: _sum(row) for row in ledger}
    return tuple(
        migration
        for migration in _ordered(migrations)
        if migration.version in ran and ran[migration.version] != migration.checksum
    )


def digest(ledger: Iterable[Applied]) -> str:
    """A checksum of the ledger's present; another one means that somebody migrated in the meantime."""
    lines = sorted(
        f"{row.version} {row.name} {row.checksum} {row.applied_at.timestamp()}\n" for row in ledger
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _require_allowed(
    late: tuple[Migration, ...], ledger: tuple[Applied, ...], allowed: frozenset[int], known: set[int]
) -> None:
    newest = max((row.version for row in ledger), default=0)
    if not allowed <= known:
        raise _unknown(min(allowed - known), known)
    refused = [migration for migration in late if migration.version not in allowed]
    if refused:
        several = len(refused) > 1
        options = " ".join(f"--allow-out-of-order {migration.version}" for migration in refused)
        raise OutOfOrder(
            f"{_list(migration.label for migration in refused)} came after {newest:04d}, which is already "
            "applied.",
            place=refused[0].up.source.place(0),
            # Not a number that is free: the one it has would be missing, and MissingMigration comes instead.
            hint=f"Check that {'they do' if several else 'it does'} the same after what is applied already, "
            f"then run `aigym-db migrate {options}`.",
        )


def _renamed(
    row: Applied, migrations: tuple[Migration, ...], ledger: tuple[Applied, ...]
) -> Migration | None:
    """The file that has the text of an applied migration, and is not what the database ran under its name."""
    own = {(other.version, other.name) for other in ledger}
    return next(
        (
            migration
            for migration in _ordered(migrations)
            if migration.checksum == _sum(row) and (migration.version, migration.name) not in own
        ),
        None,
    )


def _ordered(migrations: Iterable[Migration]) -> list[Migration]:
    return sorted(migrations, key=lambda migration: migration.version)


def _sum(row: Applied) -> str:
    return row.checksum.rpartition(":")[2]


def _file(row: Applied) -> str:
    return f"migrations/{row.version:04d}_{row.name}.sql"


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

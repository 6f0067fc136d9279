"""Plan what to apply or roll back: pure functions of the files and the ledger."""

from __future__ import annotations

from aigym_db.errors import AigymError, BadCommandLine, Irreversible, OutOfOrder
from aigym_db.migrate.history import digest, join, require_matching_files
from aigym_db.migrate.phases import in_phase
from aigym_db.model.migration import Applied, Migration, Phase, Plan
from aigym_db.project.applied_files import by_version


def plan_up(
    migrations: tuple[Migration, ...],
    ledger: tuple[Applied, ...],
    to: int | None = None,
    phase: Phase | None = None,
    allowed: frozenset[int] = frozenset(),
) -> Plan:
    """Return the migrations left to apply, oldest first, up to and including version `to`.

    With `phase`, only the next ones of that phase (`aigym_db.migrate.phases`). `allowed` are versions that
    may be applied although a newer one is.
    Raise MissingMigration (AIG-T002), EditedMigration (AIG-T003) or OutOfOrder (AIG-T004) if files and ledger
    differ, BadCommandLine (AIG-P013) if version `to` does not exist or is older than the newest applied one,
    WrongPhase (AIG-G008) if a migration of the phase follows one of the other phase.
    """
    require_matching_files(migrations, ledger)
    newest = max((row.version for row in ledger), default=0)
    applied = {row.version for row in ledger}
    versions = {migration.version for migration in migrations}
    unapplied = tuple(migration for migration in by_version(migrations) if migration.version not in applied)
    late = tuple(migration for migration in unapplied if migration.version < newest)
    _require_allowed(late, newest, allowed, versions)
    if to is not None and to not in versions:
        raise _unknown_version(to, versions)
    if to is not None and to < newest and not late:
        raise BadCommandLine(
            f"The database is at {newest:04d}, past {to:04d}.",
            hint=f"Run `aigym-db rollback --to {to}` to roll back to it.",
        )
    pending = tuple(migration for migration in unapplied if to is None or migration.version <= to)
    chosen = in_phase(pending, phase)
    return Plan(
        "up",
        chosen,
        digest(ledger),
        waiting=pending[len(chosen) :],
        late={migration.version: newest for migration in chosen if migration.version < newest},
    )


def plan_down(
    migrations: tuple[Migration, ...],
    ledger: tuple[Applied, ...],
    to: int | None = None,
    steps: int | None = None,
    *,
    allow_behind: bool = False,
) -> Plan:
    """Return the migrations to roll back, newest first.

    These are the ones after version `to` (0: all), or the newest `steps`; by default the newest one. The
    order is that of the numbers, also for migrations applied out of order, because other databases applied
    them in that order. With `allow_behind`, a database that is older than `to` has nothing to roll back.
    Raise what `plan_up` raises, except OutOfOrder; BadCommandLine (AIG-P013) if version `to` is not applied
    or fewer than `steps` migrations are; Irreversible (AIG-G004) if a migration in the range has no down.
    """
    if to is not None and steps is not None:
        raise BadCommandLine("`--to` and `--steps` exclude each other.", hint="Give one of them.")
    if steps is not None and steps < 1:
        raise BadCommandLine(f"`--steps` must be at least 1, not {steps}.", hint="Give 1 or more.")
    require_matching_files(migrations, ledger)
    files = {migration.version: migration for migration in migrations}
    applied = sorted((row.version for row in ledger), reverse=True)
    if to is not None and to != 0 and to not in applied:
        if to not in files:
            raise _unknown_version(to, {0, *files})
        if not allow_behind or any(version > to for version in applied):
            raise BadCommandLine(
                f"{files[to].label} is not applied, so the database cannot be rolled back to it.",
                hint=f"Run `aigym-db migrate --to {to}` to apply it.",
            )
    if steps is not None and steps > len(applied):
        raise BadCommandLine(
            f"Only {len(applied)} migrations are applied; {steps} cannot be rolled back.",
            hint="Run `aigym-db rollback --to 0` to roll back all of them.",
        )
    versions = [version for version in applied if version > to] if to is not None else applied[: steps or 1]
    chosen = tuple(files[version] for version in versions)
    for migration in chosen:
        if migration.down is None:
            correct = "orrect the schema in a new migration: `aigym-db new NAME`."
            raise Irreversible(
                f"{migration.label} cannot be rolled back: {migration.irreversible}",
                place=migration.up.source.place(migration.up.end),
                hint=f"C{correct}"
                if migration is chosen[0]
                else f"Roll back no further than `--to {migration.version}`, or c{correct}",
            )
    return Plan("down", chosen, digest(ledger))


def _require_allowed(
    late: tuple[Migration, ...], newest: int, allowed: frozenset[int], versions: set[int]
) -> None:
    if not allowed <= versions:
        raise _unknown_version(min(allowed - versions), versions)
    rejected = [migration for migration in late if migration.version not in allowed]
    if rejected:
        several = len(rejected) > 1
        options = " ".join(f"--allow-out-of-order {migration.version}" for migration in rejected)
        raise OutOfOrder(
            f"{join(migration.label for migration in rejected)} {'are' if several else 'is'} not applied and "
            f"older than {newest:04d}, which is applied.",
            place=rejected[0].up.source.place(0),
            # Renumbering is no way out: the old number would be missing (MissingMigration).
            hint=f"Check that {'they have' if several else 'it has'} the same effect after the newer "
            f"migrations, then run `aigym-db migrate {options}`.",
        )


def _unknown_version(version: int, versions: set[int]) -> AigymError:
    return BadCommandLine(
        f"There is no migration {version:04d}.",
        hint=f"Choose one from {min(versions):04d} to {max(versions):04d}."
        if versions
        else "Create one with `aigym-db new NAME`.",
    )

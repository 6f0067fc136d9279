"""The statements of a plan's migrations, read and checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aigym_db.migrate.options import Options
from aigym_db.model.migration import Direction, Migration, Part, Plan

if TYPE_CHECKING:
    from aigym_db.migrate.step import Step


def read(plan: Plan, options: Options) -> Mapping[int, tuple[Step, ...]]:
    """Return the statements of a plan, by version.

    Raise BadSql (AIG-P005) if a file cannot be parsed, ForbiddenStatement (AIG-P010) if a file contains a
    statement that cannot run in it, and BadMigration (AIG-P008) if the run is one transaction and a migration
    cannot be part of it.
    """
    from aigym_db.migrate.transactional.single_transaction import require_transactional
    from aigym_db.migrate.transactional.streamed import require_short

    texts = {
        migration.version: steps_of(migration, part_of(migration, plan.direction))
        for migration in plan.migrations
    }
    if options.transaction == "run":
        require_transactional(plan)
        require_short(plan)
    return texts


def steps_of(migration: Migration, part: Part) -> tuple[Step, ...]:
    """Return the statements of a part; of a streamed part, check the text and return no statements."""
    from aigym_db.migrate.preflight import inspect, steps
    from aigym_db.migrate.transactional.streamed import is_streamed

    if is_streamed(part):
        inspect(part)
        return ()
    statements = steps(part)
    if part.batch_rows is not None:
        from aigym_db.migrate.backfill.statement import read

        read(migration, part, statements)
    return statements


def part_of(migration: Migration, direction: Direction) -> Part:
    """Return the part of the file for a direction."""
    part = migration.up if direction == "up" else migration.down
    assert part is not None
    return part

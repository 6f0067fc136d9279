"""The migration status of every target of a fleet."""

from __future__ import annotations

from dataclasses import dataclass

from aigym_db.errors import AigymError
from aigym_db.migrate.fleet.poll import at_target, expand_patterns, poll
from aigym_db.migrate.fleet.worker_pool import WorkerPool
from aigym_db.migrate.status import Status, status
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Migration
from aigym_db.project.targets import Fleet, Target


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """The status of one target, or the error that prevented reading it."""

    target: Target
    status: Status | None = None
    error: AigymError | None = None


def fleet_status(
    fleet: Fleet, migrations: tuple[Migration, ...], *, frozen: frozenset[int] | None = None
) -> tuple[TargetStatus, ...]:
    """Return the status of every target, in the order of the file. Read-only.

    An error that `aigym_db.migrate.status.status` raises for one target is part of its status. Raise
    Interrupted (AIG-I001) after a signal.
    """
    with Stop() as stop:
        pool = WorkerPool(fleet.parallel, stop)
        statuses = {
            target: TargetStatus(target, error=error) for target, error in expand_patterns(fleet, pool)
        }

        def read(target: Target) -> Status:
            return status(target.dsn, migrations, frozen=frozen, scope=target.schema)

        def on_end(target: Target, result: Status | AigymError) -> None:
            if isinstance(result, AigymError):
                statuses[target] = TargetStatus(target, error=at_target(target, result))
            else:
                statuses[target] = TargetStatus(target, result)

        poll(pool, [entry.target for entry in statuses.values() if entry.error is None], read, on_end)
        return tuple(statuses.values())

"""Where every target of a fleet stands."""

from __future__ import annotations

from dataclasses import dataclass

from aigym_db.errors import AigymError
from aigym_db.migrate.fleet.poll import ask, found, placed
from aigym_db.migrate.fleet.worker_pool import WorkerPool
from aigym_db.migrate.status import Status, standing
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Migration
from aigym_db.project.targets import Fleet, Target


@dataclass(slots=True)
class TargetStatus:
    """One target, and where it stands or why that cannot be said."""

    target: Target
    standing: Status | None = None
    refusal: AigymError | None = None


def fleet_standing(
    fleet: Fleet, migrations: tuple[Migration, ...], *, frozen: frozenset[int] | None = None
) -> tuple[TargetStatus, ...]:
    """Compares the files with every target, in the order of the file; it only reads.

    What `standing` raises of a target is its refusal, and no other is kept from answering. Raises Interrupted
    (AIG-I001).
    """
    with Stop() as stop:
        crew = WorkerPool(fleet.parallel, stop)
        targets = tuple(
            TargetStatus(target, refusal=None if refusal is None else placed(target, refusal))
            for target, refusal in found(fleet, crew)
        )

        def look(one: TargetStatus) -> Status:
            return standing(one.target.dsn, migrations, frozen=frozen, scope=one.target.schema)

        def ended(one: TargetStatus, answer: Status | AigymError) -> None:
            if isinstance(answer, AigymError):
                one.refusal = placed(one.target, answer)
            else:
                one.standing = answer

        ask(crew, (one for one in targets if one.refusal is None), look, ended)
        return targets

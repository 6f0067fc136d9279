"""Where every target of a fleet stands."""

from __future__ import annotations

from dataclasses import dataclass

from aigym_db.errors import AigymError
from aigym_db.migrate.fleet.asking import ask, found, placed
from aigym_db.migrate.fleet.crew import Crew
from aigym_db.migrate.standing import Standing, standing
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Migration
from aigym_db.project.targets import Fleet, Target


@dataclass(slots=True)
class TargetStanding:
    """One target, and where it stands or why that cannot be said."""

    target: Target
    standing: Standing | None = None
    refusal: AigymError | None = None


def fleet_standing(
    fleet: Fleet, migrations: tuple[Migration, ...], *, frozen: frozenset[int] | None = None
) -> tuple[TargetStanding, ...]:
    """Compares the files with every target, in the order of the file; it only reads.

    What `standing` raises of a target is its refusal, and no other is kept from answering. Raises Interrupted
    (AIG-I001).
    """
    with Stop() as stop:
        crew = Crew(fleet.parallel, stop)
        targets = tuple(
            TargetStanding(target, refusal=None if refusal is None else placed(target, refusal))
            for target, refusal in found(fleet, crew)
        )

        def look(one: TargetStanding) -> Standing:
            return standing(one.target.dsn, migrations, frozen=frozen, scope=one.target.schema)

        def ended(one: TargetStanding, answer: Standing | AigymError) -> None:
            if isinstance(answer, AigymError):
                one.refusal = placed(one.target, answer)
            else:
                one.standing = answer

        ask(crew, (one for one in targets if one.refusal is None), look, ended)
        return targets

"""What runs before an application switches to its next version, and what after.

The line of migrations stays one line: a phase only says how far along it to go. `expand` goes up to the first
contract and `contract` takes the contracts that are next, so nothing overtakes anything.
"""

from __future__ import annotations

from itertools import takewhile

from aigym_db.errors import WrongPhase
from aigym_db.model.migration import Migration, Phase


def phase_of(migration: Migration) -> Phase:
    """What a migration counts as: one that says nothing is run before the switch."""
    return migration.phase or "expand"


def in_phase(pending: tuple[Migration, ...], phase: Phase | None) -> tuple[Migration, ...]:
    """The first of these pending migrations, in order, that run in `phase`; all when it is None.

    Raises WrongPhase (AIG-G008) when something of that phase stands behind something of the other and so
    would be left out: after it the application, or the next phase, would count on what is not there.
    """
    if phase is None:
        return pending
    chosen = tuple(takewhile(lambda migration: phase_of(migration) == phase, pending))
    behind = [migration for migration in pending[len(chosen) :] if phase_of(migration) == phase]
    if behind and (phase == "expand" or not chosen):
        raise _in_the_way(chosen, pending[len(chosen)], behind[0], phase)
    return chosen


def _in_the_way(
    chosen: tuple[Migration, ...], first: Migration, behind: Migration, phase: Phase
) -> WrongPhase:
    place = first.up.source.place(first.up.source.text.rfind("-- migrate:up", 0, first.up.start))
    if phase == "expand":
        return WrongPhase(
            f"{behind.label} is to run before the switch, and stands behind {first.label}, a contract that "
            "is still pending.",
            place=place,
            hint=f"Run `aigym-db migrate --phase expand --to {chosen[-1].version}`, and finish that switch "
            "first."
            if chosen
            else "Finish the switch before this one with `aigym-db migrate --phase contract`; where no "
            "application runs yet, leave `--phase` out.",
        )
    return WrongPhase(
        f"{behind.label} is to run after the switch, and {first.label} before it is still pending.",
        place=place,
        hint="Run `aigym-db migrate --phase expand`, then switch the application, then run this again.",
    )

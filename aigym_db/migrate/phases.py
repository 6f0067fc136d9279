"""Migrations before (expand) and after (contract) an application switches to its next version.

A phase never changes the order of the migrations. `expand` ends before the first pending contract, `contract`
covers the contracts that are next.
"""

from __future__ import annotations

from itertools import takewhile

from aigym_db.errors import WrongPhase
from aigym_db.model.migration import Migration, Phase


def phase_of(migration: Migration) -> Phase:
    """Return the phase of a migration; without the option it is expand."""
    return migration.phase or "expand"


def in_phase(pending: tuple[Migration, ...], phase: Phase | None) -> tuple[Migration, ...]:
    """Return the leading migrations of `pending` that belong to `phase`; all if it is None.

    Raise WrongPhase (AIG-G008) if a migration of the phase follows one of the other phase and would be left
    out: the application, or the next phase, depends on it.
    """
    if phase is None:
        return pending
    chosen = tuple(takewhile(lambda migration: phase_of(migration) == phase, pending))
    left_out = [migration for migration in pending[len(chosen) :] if phase_of(migration) == phase]
    if left_out and (phase == "expand" or not chosen):
        raise _wrong_phase(chosen, pending[len(chosen)], left_out[0], phase)
    return chosen


def _wrong_phase(
    chosen: tuple[Migration, ...], other: Migration, left_out: Migration, phase: Phase
) -> WrongPhase:
    place = other.up.source.place(other.up.source.text.rfind("-- migrate:up", 0, other.up.start))
    if phase == "expand":
        return WrongPhase(
            f"{left_out.label} is an expand migration after {other.label}, a contract migration that is "
            "still pending.",
            place=place,
            hint=f"Run `aigym-db migrate --phase expand --to {chosen[-1].version}`, and complete that switch "
            "first."
            if chosen
            else "Complete the earlier switch with `aigym-db migrate --phase contract`; if no application "
            "uses the database yet, omit `--phase`.",
        )
    return WrongPhase(
        f"{left_out.label} is a contract migration after {other.label}, an expand migration that is still "
        "pending.",
        place=place,
        hint="Run `aigym-db migrate --phase expand`, switch the application, then run this again.",
    )

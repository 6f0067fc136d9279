"""What the statements of some downs destroy, and under which settings they will run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from aigym_db.migrate.data_loss.destructive_statements import (
    AffectedRows,
    Destruction,
    DroppedObject,
    UnreadableCode,
    destructions,
    may_destroy,
)
from aigym_db.migrate.data_loss.prior_statements import Adoption, PriorStatements
from aigym_db.migrate.data_loss.renames import CurrentName, Renames
from aigym_db.migrate.data_loss.settings import path
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Part


@dataclass(frozen=True, slots=True)
class DestructiveStatement:
    """A destruction, and the statement that it stands in."""

    does: Destruction
    step: Step
    excused: bool = False
    """Whether it is no wonder, and no loss, when its object is not there now."""
    adopted: tuple[Adoption, ...] = ()
    """What goes with what by then, and does not yet."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What decides which objects the names of a statement mean, and what may be counted."""

    role: str | None
    path: str | None
    """A statement that sets the search_path as the file does."""


def by_setting(
    parts: Iterable[Part], owner: str | None
) -> Iterator[tuple[Setting, list[DestructiveStatement]]]:
    """The destructions in these parts, in order; those together that are asked for in the same way.

    `owner` is the role that parts act as which do not name one.
    """
    from pglast import parse_sql

    renames, earlier = Renames(), PriorStatements()
    last: Setting | None = None
    found: list[DestructiveStatement] = []
    for part in parts:
        role = part.role or owner
        setting = Setting(None if role == "none" else role, None)
        for step in steps(part):
            if not may_destroy(step.text, inserts=earlier.fires):
                continue
            tree = parse_sql(step.text)[0].stmt
            # Outside a transaction a setting may be over before the next statement.
            set_path = path(tree) if part.transaction else None
            if set_path is not None:
                setting = Setting(setting.role, set_path)
                continue
            if setting != last and found:
                assert last is not None
                yield last, found
                found = []
            last = setting
            renames.learn(tree)
            found += _found(tree, step, renames, earlier, part.transaction)
            earlier.learn(tree, renames)
    if found and last is not None:
        yield last, found


def _found(
    tree: Any, step: Step, renames: Renames, earlier: PriorStatements, transaction: bool
) -> Iterator[DestructiveStatement]:
    """What a statement destroys, in the light of what those before it have done."""

    def missed(name: CurrentName) -> bool:
        # Outside a transaction a run that was cut short may have dropped it already.
        return not transaction and not renames.renamed(name)

    for name in earlier.fired(tree, renames):
        yield DestructiveStatement(
            UnreadableCode(f"{name}: what the trigger or rule that was made before does"), step
        )
    found = list(destructions(tree, renames))
    for one in destructions(tree, replace(renames, guessing=False)):
        if one not in found:
            yield DestructiveStatement(one, step, excused=True)
    for one in found:
        match one:
            case DroppedObject():
                if one.cascade and earlier.unsure(one.kind, one.name):
                    yield DestructiveStatement(
                        UnreadableCode(f"DROP … {one.name} CASCADE: what was moved or renamed before"), step
                    )
                made = earlier.made(one.name)
                excused = not earlier.adoptions if made else one.missing_ok or missed(one.name)
                yield DestructiveStatement(one, step, excused, earlier.adoptions)
            case AffectedRows():
                if earlier.adopting(one.table) or (one.cascade and earlier.referred(one.table)):
                    yield DestructiveStatement(
                        UnreadableCode(f"{one.table}: the rows of tables that hang on it by then"), step
                    )
                yield DestructiveStatement(one, step, earlier.made(one.table) or missed(one.table))
            case _:
                yield DestructiveStatement(one, step)

"""The data that a rollback's statements destroy, and the settings under which they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from aigym_db.migrate.data_loss.destructive_statements import (
    AffectedRows,
    Destruction,
    DroppedObject,
    UnknownEffect,
    destructions,
    may_destroy,
)
from aigym_db.migrate.data_loss.prior_statements import NewDependency, PriorStatements
from aigym_db.migrate.data_loss.renames import CurrentName, Renames
from aigym_db.migrate.data_loss.settings import search_path_statement
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Part


@dataclass(frozen=True, slots=True)
class DestructiveStatement:
    """One destruction and the statement that causes it."""

    destruction: Destruction
    step: Step
    may_be_missing: bool = False
    """True if the object may be missing (IF EXISTS, or created by an earlier statement)."""
    dependencies: tuple[NewDependency, ...] = ()
    """Dependencies that earlier statements add and the catalog does not show yet."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The session settings under which names are resolved and rows counted."""

    role: str | None
    search_path: str | None
    """A statement that sets the search_path as the file does."""


def by_setting(
    parts: Iterable[Part], owner: str | None
) -> Iterator[tuple[Setting, list[DestructiveStatement]]]:
    """Yield the destructions of these parts in order, grouped by the settings in effect.

    `owner` is the role of parts that specify none.
    """
    from pglast import parse_sql

    renames, prior = Renames(), PriorStatements()
    last: Setting | None = None
    group: list[DestructiveStatement] = []
    for part in parts:
        role = part.role or owner
        setting = Setting(None if role == "none" else role, None)
        for step in steps(part):
            if not may_destroy(step.text, inserts=prior.has_triggers):
                continue
            tree = parse_sql(step.text)[0].stmt
            # In a non-transactional file SET LOCAL ends with its own statement.
            set_path = search_path_statement(tree) if part.transaction else None
            if set_path is not None:
                setting = Setting(setting.role, set_path)
                continue
            if setting != last and group:
                assert last is not None
                yield last, group
                group = []
            last = setting
            renames.add(tree)
            group += _destructive(tree, step, renames, prior, part.transaction)
            prior.add(tree, renames)
    if group and last is not None:
        yield last, group


def _destructive(
    tree: Any, step: Step, renames: Renames, prior: PriorStatements, transaction: bool
) -> Iterator[DestructiveStatement]:
    """Yield what a statement destroys after the statements before it have run."""

    def may_be_dropped(name: CurrentName) -> bool:
        # An interrupted run of a non-transactional file may have dropped the object already.
        return not transaction and not renames.is_renamed(name)

    for name in prior.triggering(tree, renames):
        yield DestructiveStatement(UnknownEffect(f"{name}: effects of a new trigger or rule"), step)
    certain = list(destructions(tree, renames))
    for destruction in destructions(tree, replace(renames, match_unqualified=False)):
        if destruction not in certain:
            yield DestructiveStatement(destruction, step, may_be_missing=True)
    for destruction in certain:
        match destruction:
            case DroppedObject(kind, name):
                # DROP OWNED drops the role's tables without CASCADE, too.
                drops_others = destruction.cascade or kind == "owned"
                if drops_others and prior.makes_cascade_unknown(kind, name):
                    unknown = UnknownEffect(
                        f"DROP OWNED BY {name}: objects that earlier statements assign to it"
                        if kind == "owned"
                        else f"DROP … {name} CASCADE: objects moved or renamed before"
                    )
                    yield DestructiveStatement(unknown, step)
                may_be_missing = (
                    not prior.dependencies
                    if prior.creates(name)
                    else destruction.missing_ok or may_be_dropped(name)
                )
                yield DestructiveStatement(destruction, step, may_be_missing, prior.dependencies)
            case AffectedRows(table):
                if prior.adds_children_to(table) or (destruction.cascade and prior.adds_references_to(table)):
                    unknown = UnknownEffect(f"{table}: rows of tables that depend on it by then")
                    yield DestructiveStatement(unknown, step)
                yield DestructiveStatement(destruction, step, prior.creates(table) or may_be_dropped(table))
            case _:
                yield DestructiveStatement(destruction, step)

"""Draft the next migrations from the difference between templates and migrations.

There are four steps, each a function that returns a value: classify the differences (`Changes`), select the
template statements that they need (`Selection`), generate the SQL of both directions (`Item`), and compose
the items, in order of position, into files (`Draft`). `new` executes and writes the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from aigym_db.draft.classify import REMOVABLE, Changes, classify
from aigym_db.draft.generate import (
    column_rights_items,
    fact_item,
    removal_items,
    run_time_items,
    statement_item,
)
from aigym_db.draft.items import Item, down_text, up_text
from aigym_db.draft.selection import SHARED_KINDS, Selection, select_statements
from aigym_db.draft.texts import template_statements
from aigym_db.errors import CannotDraft
from aigym_db.model.catalog import Catalog, Difference
from aigym_db.model.sql import Script
from aigym_db.project.state import role_of

_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Draft:
    """The contents of one drafted migration file: up, down and the options of its markers."""

    up: str
    down: str
    made_from: tuple[str, ...]
    role: str | None = None
    """`none` if the migration runs as the connecting role."""
    transaction: bool = True


def draft(
    scripts: Iterable[Script],
    state: Catalog,
    history: Catalog,
    *,
    owner: str | None = None,
    past: str = "",
    only: tuple[str, ...] = (),
) -> tuple[Draft, ...]:
    """Return the migrations that change `history` to `state`, using the statements of the templates.

    The result has more than one migration if statements run as another role (`role_of`) or are
    non-transactional (an index on an existing table). `past` is the SQL of all migrations: statements whose
    effect is known only at run time (DO, SELECT, INSERT) are included unless `past` contains them. `only`
    limits the draft to these templates or folders.

    Raise CannotDraft (AIG-P011) if no statement is available for a difference; its detail lists them.
    """
    scripts = tuple(scripts)
    changes = classify(history, state, partial=bool(only))
    selection = select_statements(template_statements(scripts), changes, past=past, only=only)
    included = [difference for difference in changes.facts if not selection.excludes(difference)]
    column_rights = [item for item in included if item.key.kind == "column" and item.fact == "acl"]
    facts = {
        difference: fact_item(difference, selection)
        for difference in included
        if difference not in column_rights
    }
    undrafted = [
        *(() if only else _missing(selection)),
        *_not_removable(changes),
        *_unexplained([difference for difference, item in facts.items() if item is None], selection),
    ]
    if undrafted:
        raise CannotDraft(
            f"{len(undrafted)} differences between templates and migrations cannot be drafted.",
            detail=_format_list(undrafted),
            hint="Write the migration by hand: `aigym-db new NAME --empty`.",
        )
    items = [
        *(statement_item(statement, changes, owner) for statement in selection.statements),
        *(item for item in facts.values() if item),
        *column_rights_items(column_rights, selection),
        *removal_items(changes, owner),
    ]
    items += list(run_time_items(selection, items))
    if not items:
        raise CannotDraft(
            "The templates contain no change that the migrations lack.",
            hint="Change a template first, or write a migration by hand: `aigym-db new NAME --empty`.",
        )
    roles = {script.source.file: role_of(script) for script in scripts}
    return tuple(_compose(group, roles) for group in _files(items, roles))


def _missing(selection: Selection) -> list[Difference]:
    """Return the added objects that no selected statement creates."""
    keys = [key for key in sorted(selection.changes.added) if not selection.includes(key)]
    return [Difference(key, None, None, "present") for key in keys]


def _not_removable(changes: Changes) -> list[Difference]:
    """Return the removed objects that a draft does not drop."""
    keys = [key for key in sorted(changes.removed) if key.kind not in REMOVABLE]
    return [Difference(key, None, "present", None) for key in keys]


def _unexplained(facts: list[Difference], selection: Selection) -> list[Difference]:
    """Return the changed facts that no statement sets, including those with an effect known at run time."""
    return [
        fact
        for fact in facts
        if not selection.run_time_files
        or (fact.key.kind not in SHARED_KINDS and fact.fact not in ("partitions", "hash_partitions"))
    ]


def _files(items: Iterable[Item], roles: Mapping[str, str | None]) -> Iterator[list[Item]]:
    """Yield the items of each file, in order: transactional ones by role, then non-transactional ones."""
    ordered = sorted(items, key=lambda item: item.position)
    for transactional in (True, False):
        chosen = [item for item in ordered if item.transactional == transactional]
        for _, group in groupby(chosen, key=lambda item: roles.get(item.file)):
            yield list(group)


def _compose(items: Sequence[Item], roles: Mapping[str, str | None]) -> Draft:
    return Draft(
        up=up_text(items),
        down=down_text(items),
        made_from=tuple(dict.fromkeys(item.file for item in items if item.file)),
        role=roles.get(items[0].file),
        transaction=items[0].transactional,
    )


def _format_list(differences: list[Difference]) -> str:
    more = len(differences) - _SHOWN
    lines = [_describe(difference) for difference in differences[:_SHOWN]]
    return "\n".join([*lines, f"… and {more} more"] if more > 0 else lines)


def _describe(difference: Difference) -> str:
    if difference.fact is None:
        return f"{difference.key} is in the {'templates' if difference.left is None else 'migrations'} only"
    return (
        f"{difference.key}: {difference.fact} is {difference.left!r} in the migrations, "
        f"{difference.right!r} in the templates"
    )

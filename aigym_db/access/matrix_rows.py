"""The rows of an access matrix: an actor or a group, and one cell per command."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from aigym_db.access.actors import ActorList
from aigym_db.model.access import COMMANDS
from aigym_db.project.toml import Document

Cells = tuple[tuple[str, ...], ...]
"""The row classes that an actor reaches, for each command in the order of COMMANDS."""

T = TypeVar("T")

Row = tuple[str, Cells]
"""The key of a row, and its cells."""

NO_ACCESS: Cells = ((),) * len(COMMANDS)


def read_rows(doc: Document, value: Any, actor_list: ActorList, table: str | None = None) -> dict[str, Row]:
    """Return the row of each actor in the `access` of a table, or of an archetype if `table` is None.

    Raise BadAccessMatrix (AIG-P012) for an unknown actor, an actor with two rows, or an invalid cell.
    """
    keys = ("access",) if table is None else (table, "access")
    if not isinstance(value, dict):
        raise doc.wrong(
            f"{table or 'The archetype'} has no access cells.",
            *(keys[:1] if table else ()),
            hint="Add `access`, or name an `archetype`.",
        )
    rows: dict[str, Row] = {}
    for key, row in value.items():
        no_access = key == "no_access"
        members = doc.strings(row, *keys, key, subject="`no_access`") if no_access else (key,)
        cells = NO_ACCESS if no_access else _row(doc, key, row, *keys)
        for name in members:
            add_row(rows, (key, cells), name, doc, actor_list, *keys, key)
    return rows


def add_row(rows: dict[str, T], row: T, name: str, doc: Document, actor_list: ActorList, *keys: str) -> None:
    """Add the row of an actor, or of each actor of a group.

    Raise BadAccessMatrix (AIG-P012) at `keys` if the name does not exist, or an actor has a row already.
    """
    if name not in actor_list.actors and name not in actor_list.groups:
        raise doc.wrong(
            f"The actor or group `{name}` does not exist.",
            *keys,
            name,
            hint="Use the names of policies/actors.toml.",
        )
    for actor in actor_list.groups.get(name, (name,)):
        if actor in rows:
            raise doc.wrong(
                f"The actor `{actor}` has two rows.", *keys, name, hint="Remove it from one of them."
            )
        rows[actor] = row


def _row(doc: Document, key: str, row: Any, *keys: str) -> Cells:
    entries = doc.strings(row, *keys, key, subject=f"The row of `{key}`")
    if len(entries) != len(COMMANDS):
        raise doc.wrong(
            f"The row of `{key}` has {len(entries)} cells, not {len(COMMANDS)}.",
            *keys,
            key,
            hint=f"Write one for each of: {', '.join(COMMANDS)}; `-` means no rows.",
        )
    for command, cell in zip(COMMANDS, entries, strict=True):
        name = r"[a-z_][a-z0-9_]*"
        item = rf"({name}\.)?{name}( > {name})?" if command == "reassign" else name
        if not re.fullmatch(rf"-|{item}( \+ {item})*", cell):
            raise doc.wrong(
                f"`{cell}` is not a valid cell.",
                *keys,
                key,
                hint="Write `-`, `all`, or row classes joined by ` + `.",
            )
    return tuple(() if cell == "-" else tuple(cell.split(" + ")) for cell in entries)

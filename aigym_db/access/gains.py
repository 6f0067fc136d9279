"""`gains` of a table in the access matrix: what actors may reach in addition after a permitted write.

    ["app.memberships".gains]
    people = { insert = "app.units, app.tenant_ids(own)" }
    admin  = { update = "app.units~" }

Each row has a text per command (insert, update, delete, reassign): the gains as in a call cell, without
numbers. An actor or group without a row, and a command without a text, gain nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aigym_db.access.actors import ActorList
from aigym_db.access.matrix_rows import add_row
from aigym_db.model.access import COMMANDS, Command
from aigym_db.model.source import Place
from aigym_db.project.toml import Document

KEY = "gains"
_WRITES: tuple[Command, ...] = tuple(command for command in COMMANDS if command != "select")
_NAMES = re.compile(r"[^\s,]+(, [^\s,]+)*")


def read_gains(
    doc: Document, table: str, value: Any, actor_list: ActorList
) -> Mapping[tuple[str, Command], frozenset[str]]:
    """Return what each actor may gain by each command; commands by which it gains nothing are missing.

    Raise BadAccessMatrix (AIG-P012) for an unknown actor or command, or an actor with two rows.
    """
    if not isinstance(value, dict):
        raise doc.wrong(
            f"`{KEY}` of {table} must be a table.",
            table,
            KEY,
            hint='Write `admin = { insert = "app.units" }`.',
        )
    rows: dict[str, dict[Command, frozenset[str]]] = {}
    for name, row in value.items():
        doc.only(row, _WRITES, table, KEY, name, subject=f"The row of `{name}`")
        gains: dict[Command, frozenset[str]] = {
            command: _gains(doc, row[command], table, KEY, name) for command in _WRITES if command in row
        }
        add_row(rows, gains, name, doc, actor_list, table, KEY)
    return {(actor, command): names for actor, row in rows.items() for command, names in row.items()}


def listed_gains(doc: Document, table: str) -> Iterator[tuple[str, Place | None]]:
    """Yield what is listed under `gains` of a table, with its place; columns are left out."""
    for actor, row in doc.values[table].get(KEY, {}).items():
        for command, text in row.items():
            for name in text.split(", "):
                if not name.startswith("("):
                    yield name, doc.place(table, KEY, actor, command)


def _gains(doc: Document, text: Any, *keys: str) -> frozenset[str]:
    if not _NAMES.fullmatch(doc.text(text, *keys, subject="A list of gains")):
        raise doc.wrong(
            f"`{text}` is not a list of gains.", *keys, hint="Write `app.units, app.tenant_ids(own)`."
        )
    return frozenset(text.split(", "))

"""The rows of an access matrix: an actor or a group, and one cell per command."""

from __future__ import annotations

import re
from typing import Any

from aigym_db.access.actors import ActorList
from aigym_db.model.access import COMMANDS
from aigym_db.project.toml import Document

Answer = tuple[tuple[str, ...], ...]
"""The classes an actor reaches, for each command in the order of COMMANDS."""

Row = tuple[str, Answer]
"""The key of a row, and its cells."""

NOTHING: Answer = ((),) * len(COMMANDS)


def given(doc: Document, value: Any, actor_list: ActorList, table: str | None = None) -> dict[str, Row]:
    at = ("access",) if table is None else (table, "access")
    if not isinstance(value, dict):
        raise doc.wrong(
            f"{table or 'The archetype'} has no access cells.",
            *(at[:1] if table else ()),
            hint="Add `access`, or name an `archetype`.",
        )
    found: dict[str, Row] = {}
    for key, row in value.items():
        no_access = key == "no_access"
        who = doc.strings(row, *at, key, subject="`no_access`") if no_access else (key,)
        answers = NOTHING if no_access else _row(doc, key, row, *at)
        for name in who:
            if name not in actor_list.actors and name not in actor_list.groups:
                raise doc.wrong(
                    f"There is no actor or group `{name}`.",
                    *at,
                    key,
                    name,
                    hint="Use the names of policies/actors.toml.",
                )
            for actor in actor_list.groups.get(name, (name,)):
                if actor in found:
                    raise doc.wrong(
                        f"The actor `{actor}` has two rows.",
                        *at,
                        key,
                        name,
                        hint="Leave it in one of them.",
                    )
                found[actor] = (key, answers)
    return found


def _row(doc: Document, key: str, row: Any, *at: str) -> Answer:
    entries = doc.strings(row, *at, key, subject=f"The row of `{key}`")
    if len(entries) != len(COMMANDS):
        raise doc.wrong(
            f"The row of `{key}` has {len(entries)} cells, not {len(COMMANDS)}.",
            *at,
            key,
            hint=f"Give one for each of: {', '.join(COMMANDS)}; `-` means none.",
        )
    for command, answer in zip(COMMANDS, entries, strict=True):
        name = r"[a-z_][a-z0-9_]*"
        one = rf"({name}\.)?{name}( > {name})?" if command == "reassign" else name
        if not re.fullmatch(rf"-|{one}( \+ {one})*", answer):
            raise doc.wrong(
                f"`{answer}` is not a valid cell.",
                *at,
                key,
                hint="Write `-`, `all`, or row classes joined by ` + `.",
            )
    return tuple(() if answer == "-" else tuple(answer.split(" + ")) for answer in entries)

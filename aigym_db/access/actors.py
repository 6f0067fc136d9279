"""`policies/actors.toml`: the actors that the policies distinguish.

    outside = ["auth"]                        # foreign schemas: their tables need no cells
    levels  = ["none", "enrolled", "always"]  # session levels that a table can require

    [people]                                  # values of the fixture: "{alice}" below and in the matrix
    alice = "00000000-0000-4000-8000-000000000003"
    acme  = "00000000-0000-4000-8000-000000000101"
    beta  = "00000000-0000-4000-8000-000000000102"
    everywhere = ["{acme}", "{beta}"]         # a list can use the values above it

    [names]                                   # values of the actor that a row class can use
    me      = "the person's own id"
    tenants = "tenants the person is an active member of"

    [groups]                                  # several actors under one name, for the matrix
    end_users = ["member", "comember"]
    signed_in = ["end_users", "admin"]        # a group can contain groups defined above it

    [actor.member]
    note    = "alice: an end user of Acme without a second factor"
    role    = "authenticated"
    claims  = { sub = "{alice}", role = "authenticated", aal = "aal1" }
    provides = ["none", "enrolled"]           # the levels this session satisfies
    me      = "{alice}"
    tenants = ["{acme}"]

A name that an actor does not define is null if other actors give a single value, and an empty list if they
give a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import Actor
from aigym_db.model.source import Place
from aigym_db.project.toml import Document, read_document

FILE = "policies/actors.toml"
KEYS = ("outside", "levels", "people", "names", "groups", "actor")
ACTOR_KEYS = ("note", "role", "claims", "settings", "provides")
"""The keys of an actor, apart from the names of the project."""
_REFERENCE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ActorList:
    """The contents of `policies/actors.toml`; its keys are described at the head of this module."""

    actors: Mapping[str, Actor]
    groups: Mapping[str, tuple[str, ...]]
    people: Mapping[str, str | tuple[str, ...]]
    names: tuple[str, ...]
    levels: tuple[str, ...]
    outside: tuple[str, ...]
    doc: Document

    def place(self, actor: str) -> Place:
        """Return the place of an actor's `role` in policies/actors.toml."""
        return self.doc.place("actor", actor, "role")


def read_actors(root: Path) -> ActorList:
    """Read `policies/actors.toml` of the project at `root`.

    Raise BadAccessMatrix (AIG-P012) with file and line for an unknown key, name, level, person or member.
    """
    doc = read_document(root, FILE, BadAccessMatrix)
    values = doc.only(doc.values, KEYS, subject="The list of actors")
    people: dict[str, str | tuple[str, ...]] = {}
    for key, value in _table(doc, "people").items():
        people[key] = _filled(doc, value, people, "people", key)
    names = tuple(_table(doc, "names"))
    levels = doc.strings(values.get("levels", []), "levels", subject="`levels`")
    actors = {
        name: _actor(doc, name, value, people, names, levels) for name, value in _table(doc, "actor").items()
    }
    if not actors:
        raise doc.wrong("The list of actors is empty.", hint="Add an `[actor.NAME]` table.")
    groups: dict[str, tuple[str, ...]] = {}
    for name, value in _table(doc, "groups").items():
        groups[name] = _group(doc, name, value, actors, groups)
    many = {
        name for actor in actors.values() for name, value in actor.names.items() if isinstance(value, tuple)
    }
    complete = {
        name: Actor(
            actor.name,
            actor.role,
            actor.claims,
            actor.settings,
            {key: actor.names.get(key, () if key in many else None) for key in names},
            actor.provides,
            actor.note,
        )
        for name, actor in actors.items()
    }
    for actor in actors.values():
        for key, value in actor.names.items():
            if (key in many) != isinstance(value, tuple):
                raise doc.wrong(
                    f"`{key}` is one value for {actor.name} and a list for others.",
                    "actor",
                    actor.name,
                    key,
                    hint="Use one value or a list for every actor.",
                )
    outside = doc.strings(values.get("outside", []), "outside", subject="`outside`")
    return ActorList(complete, groups, people, names, levels, outside, doc)


def _table(doc: Document, key: str) -> Mapping[str, Any]:
    value = doc.values.get(key, {})
    if not isinstance(value, dict):
        raise doc.wrong(f"`{key}` must be a table.", key, hint=f"Write it as `[{key}]`.")
    return value


def _group(
    doc: Document, name: str, value: Any, actors: Mapping[str, Actor], groups: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The actors of a group; a group can contain groups defined above it."""
    if name in actors:
        raise doc.wrong(f"`{name}` is an actor and a group.", "groups", name, hint="Rename the group.")
    members: dict[str, None] = {}
    for member in doc.strings(value, "groups", name, subject=f"The group `{name}`"):
        if member not in actors and member not in groups:
            raise doc.wrong(
                f"The group `{name}` contains an actor `{member}` that does not exist.",
                "groups",
                name,
                member,
                hint=f"Use one of: {', '.join((*actors, *groups))}.",
            )
        members.update(dict.fromkeys(groups.get(member, (member,))))
    return tuple(members)


def _actor(
    doc: Document,
    name: str,
    value: Any,
    people: Mapping[str, str | tuple[str, ...]],
    names: tuple[str, ...],
    levels: tuple[str, ...],
) -> Actor:
    keys = ("actor", name)
    table = doc.only(value, (*ACTOR_KEYS, *names), *keys, subject=f"The actor `{name}`")
    for key in ("note", "role"):
        if key not in table:
            raise doc.wrong(f"The actor `{name}` has no `{key}`.", *keys, hint=f"Add `{key} = …`.")
    if levels and "provides" not in table:
        raise doc.wrong(
            f"The actor `{name}` has no list of session levels.",
            *keys,
            hint="Add `provides = […]`; `provides = []` for a session that is rejected everywhere.",
        )
    provides = doc.strings(table.get("provides", []), *keys, "provides", subject="`provides`")
    for level in provides:
        if level not in levels:
            raise doc.wrong(
                f"`{level}` is not one of the levels.",
                *keys,
                "provides",
                hint=f"Use some of: {', '.join(levels)}.",
            )
    role = doc.text(table["role"], *keys, "role", subject="`role`")
    filled = {
        key: _filled(doc, table[key], people, *keys, key) for key in table if key not in ("note", "provides")
    }
    for key in ("claims", "settings"):
        if not isinstance(filled.get(key, {}), dict):
            raise doc.wrong(f"`{key}` must be a table.", *keys, key, hint=f"Write it as `{key} = {{ … }}`.")
    return Actor(
        name,
        role,
        filled.get("claims", {}),
        {key: str(setting) for key, setting in filled.get("settings", {}).items()},
        {key: filled[key] for key in names if key in filled},
        provides,
        doc.text(table["note"], *keys, "note", subject="`note`"),
    )


def _filled(doc: Document, value: Any, people: Mapping[str, str | tuple[str, ...]], *keys: str) -> Any:
    """Replace every `"{person}"` in a value; lists become tuples."""
    if isinstance(value, dict):
        return {key: _filled(doc, item, people, *keys) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_filled(doc, item, people, *keys) for item in value)
    if isinstance(value, str) and (match := _REFERENCE.fullmatch(value)):
        if match[1] not in people:
            raise doc.wrong(f"`{value}` is not one of the people.", *keys, hint="Add it to `[people]`.")
        return people[match[1]]
    return value

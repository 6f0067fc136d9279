"""`policies/actors.toml`: everyone the policies must tell apart.

    outside = ["auth"]                        # schemas of others: their tables need no answers
    levels  = ["none", "enrolled", "always"]  # what a table may demand of a session

    [people]                                  # rows of the fixture: "{alice}" below and in the sheets
    alice = "00000000-0000-4000-8000-000000000003"
    acme  = "00000000-0000-4000-8000-000000000101"
    beta  = "00000000-0000-4000-8000-000000000102"
    everywhere = ["{acme}", "{beta}"]         # a list may name what stands above it

    [names]                                   # what a row class may ask of whoever is acting
    me      = "the person's own id"
    tenants = "tenants the person is an active member of"

    [groups]                                  # several actors under one name, for the sheets
    end_users = ["member", "comember"]
    signed_in = ["end_users", "admin"]        # a group may name groups above it

    [actor.member]
    note    = "alice: an end user of Acme without a second factor"
    role    = "authenticated"
    claims  = { sub = "{alice}", role = "authenticated", aal = "aal1" }
    provides   = ["none", "enrolled"]            # the levels this session satisfies
    me      = "{alice}"
    tenants = ["{acme}"]

A name that an actor leaves out stands for nobody: null where others give one value, an empty list where
others give a list.
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
_ACTOR_KEYS = ("note", "role", "claims", "settings", "provides")
_WHOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ActorList:
    """The actors, and the words the sheets may use about them."""

    actors: Mapping[str, Actor]
    groups: Mapping[str, tuple[str, ...]]
    people: Mapping[str, str | tuple[str, ...]]
    names: tuple[str, ...]
    levels: tuple[str, ...]
    outside: tuple[str, ...]
    doc: Document

    def place(self, actor: str) -> Place:
        """Where the role of an actor is said."""
        return self.doc.place("actor", actor, "role")


def read_actors(root: Path) -> ActorList:
    """Everyone in `policies/actors.toml` of the project at `root`.

    Raise BadAccessMatrix (AIG-P012) for an unknown key, name, level, person or group member.
    """
    doc = read_document(root, FILE, BadAccessMatrix)
    values = doc.only(
        doc.values, ("outside", "levels", "people", "names", "groups", "actor"), subject="The list of actors"
    )
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
                    hint="Write it the same way for everyone.",
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
    """The actors of a group; a group may name groups that stand above it."""
    if name in actors:
        raise doc.wrong(f"`{name}` is an actor and a group.", "groups", name, hint="Rename the group.")
    members: dict[str, None] = {}
    for member in doc.strings(value, "groups", name, subject=f"The group `{name}`"):
        if member not in actors and member not in groups:
            raise doc.wrong(
                f"The group `{name}` names an actor `{member}` that does not exist.",
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
    at = ("actor", name)
    table = doc.only(value, (*_ACTOR_KEYS, *names), *at, subject=f"The actor `{name}`")
    for key in ("note", "role"):
        if key not in table:
            raise doc.wrong(f"The actor `{name}` has no `{key}`.", *at, hint=f"Add `{key} = …`.")
    if levels and "provides" not in table:
        raise doc.wrong(
            f"The actor `{name}` has no list of session levels.",
            *at,
            hint="Add `provides = […]`; `provides = []` for a session that is rejected everywhere.",
        )
    provides = doc.strings(table.get("provides", []), *at, "provides", subject="`provides`")
    for level in provides:
        if level not in levels:
            raise doc.wrong(
                f"`{level}` is not one of the levels.",
                *at,
                "provides",
                hint=f"Use some of: {', '.join(levels)}.",
            )
    role = doc.text(table["role"], *at, "role", subject="`role`")
    filled = {
        key: _filled(doc, table[key], people, *at, key) for key in table if key not in ("note", "provides")
    }
    for key in ("claims", "settings"):
        if not isinstance(filled.get(key, {}), dict):
            raise doc.wrong(f"`{key}` must be a table.", *at, key, hint=f"Write it as `{key} = {{ … }}`.")
    return Actor(
        name,
        role,
        filled.get("claims", {}),
        {key: str(setting) for key, setting in filled.get("settings", {}).items()},
        {key: filled[key] for key in names if key in filled},
        provides,
        doc.text(table["note"], *at, "note", subject="`note`"),
    )


def _filled(doc: Document, value: Any, people: Mapping[str, str | tuple[str, ...]], *at: str) -> Any:
    """The value with every `"{person}"` replaced; lists become tuples."""
    if isinstance(value, dict):
        return {key: _filled(doc, one, people, *at) for key, one in value.items()}
    if isinstance(value, list):
        return tuple(_filled(doc, one, people, *at) for one in value)
    if isinstance(value, str) and (found := _WHOLE.fullmatch(value)):
        if found[1] not in people:
            raise doc.wrong(f"`{value}` is not one of the people.", *at, hint="Add it to `[people]`.")
        return people[found[1]]
    return value

"""Privileges as PostgreSQL keeps them (`reader=r/owner`), and the GRANT and REVOKE between two of them."""

from __future__ import annotations

import re

from aigym_db.model.catalog import Catalog, Key

Rights = dict[str, dict[str, bool]]
"""For each role the privileges it has, by letter, and whether it may pass them on; the role `` is
everyone."""

_ITEM = re.compile(r'("(?:[^"]|"")*"|[^\s="/]*)=([^\s/]*)/(?:"(?:[^"]|"")*"|\S+)')
_WORDS = {
    "r": "select",
    "a": "insert",
    "w": "update",
    "d": "delete",
    "D": "truncate",
    "x": "references",
    "t": "trigger",
    "m": "maintain",
    "X": "execute",
    "U": "usage",
    "C": "create",
    "c": "connect",
    "T": "temporary",
}
_TABLE = "rawdDxtm"
_EVERY = {"table": _TABLE, "sequence": "rwU", "function": "X", "type": "U", "schema": "UC"}
_PUBLIC = {"function": "X", "type": "U"}
_FAMILY = {
    "view": "table",
    "materialized view": "table",
    "foreign table": "table",
    "procedure": "function",
    "aggregate": "function",
    "domain": "type",
}


def rights(acl: str) -> Rights:
    """What an `acl` fact says."""
    found: Rights = {}
    for role, letters in _ITEM.findall(acl):
        mine = found.setdefault(role, {})
        for letter, star in re.findall(r"(.)(\*?)", letters.replace("all", _TABLE)):
            mine[letter] = bool(star)
    return found


def first_rights(catalog: Catalog, kind: str, schema: str, owner: str) -> Rights:
    """What a new object of `owner` comes with, default privileges included."""
    family = _FAMILY.get(kind, kind)
    plural = f"{family}s"
    everywhere = catalog.facts.get(Key("default privileges", f"{owner} on {plural}"))
    here = catalog.facts.get(Key("default privileges", f"{owner} in {schema} on {plural}"))
    found = rights(everywhere["acl"]) if everywhere else _built_in(family, owner)
    for role, letters in rights(here["acl"]).items() if here else ():
        found.setdefault(role, {}).update(letters)
    return found


def default_entry(name: str) -> Rights:
    """What an entry of default privileges says while nobody has changed it; `name` as in its key."""
    role, _, plural = name.rpartition(" on ")
    return {} if " in " in role else _built_in(plural.removesuffix("s"), role)


def _built_in(family: str, owner: str) -> Rights:
    found = {owner: dict.fromkeys(_EVERY.get(family, ""), False)}
    if family in _PUBLIC:
        found[""] = dict.fromkeys(_PUBLIC[family], False)
    return found


def changes(before: Rights, after: Rights, on: str, *, column: str = "", prefix: str = "") -> list[str]:
    """The REVOKE and GRANT that turn one into the other; `on` is e.g. `function app.f()`."""
    said: list[str] = []
    for role in sorted(before.keys() | after.keys()):
        old, new = before.get(role, {}), after.get(role, {})
        who = role or "public"
        lost = [letter for letter in _WORDS if letter in old and letter not in new]
        kept_back = [letter for letter in _WORDS if old.get(letter) and new.get(letter) is False]
        plain = [letter for letter in _WORDS if new.get(letter) is False and letter not in old]
        passing = [letter for letter in _WORDS if new.get(letter) and not old.get(letter)]
        if lost:
            said.append(f"{prefix}revoke {_words(lost, column)} on {on} from {who};")
        if kept_back:
            said.append(f"{prefix}revoke grant option for {_words(kept_back, column)} on {on} from {who};")
        if plain:
            said.append(f"{prefix}grant {_words(plain, column)} on {on} to {who};")
        if passing:
            said.append(f"{prefix}grant {_words(passing, column)} on {on} to {who} with grant option;")
    return said


def _words(letters: list[str], column: str) -> str:
    if set(_TABLE) <= set(letters):
        return "all"
    return ", ".join(_WORDS[letter] + (f" ({column})" if column else "") for letter in letters)

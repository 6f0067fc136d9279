"""Parse access control lists (`reader=r/owner`) and generate GRANT and REVOKE from their differences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from aigym_db.model.catalog import Catalog, Key

Rights = dict[str, dict[str, bool]]
"""Privileges by role and privilege letter; True if the role holds the grant option. The empty role name is
PUBLIC."""

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
    """Parse the fact `acl` of an object: items as in `pg_class.relacl`, separated by spaces."""
    privileges: Rights = {}
    for role, letters in _ITEM.findall(acl):
        of_role = privileges.setdefault(role, {})
        for letter, star in re.findall(r"(.)(\*?)", letters.replace("all", _TABLE)):
            of_role[letter] = bool(star)
    return privileges


def first_rights(catalog: Catalog, kind: str, schema: str, owner: str) -> Rights:
    """Return the privileges on an object right after `owner` creates it: built-in and default privileges."""
    family = _FAMILY.get(kind, kind)
    plural = f"{family}s"
    global_defaults = catalog.facts.get(Key("default privileges", f"{owner} on {plural}"))
    schema_defaults = catalog.facts.get(Key("default privileges", f"{owner} in {schema} on {plural}"))
    privileges = rights(global_defaults["acl"]) if global_defaults else _built_in(family, owner)
    for role, letters in rights(schema_defaults["acl"]).items() if schema_defaults else ():
        privileges.setdefault(role, {}).update(letters)
    return privileges


def default_entry(name: str) -> Rights:
    """Return the built-in privileges of a default privileges entry; `name` is the name in its key."""
    role, _, plural = name.rpartition(" on ")
    return {} if " in " in role else _built_in(plural.removesuffix("s"), role)


def _built_in(family: str, owner: str) -> Rights:
    privileges = {owner: dict.fromkeys(_EVERY.get(family, ""), False)}
    if family in _PUBLIC:
        privileges[""] = dict.fromkeys(_PUBLIC[family], False)
    return privileges


def grants(before: Rights, after: Rights, on: str, *, prefix: str = "") -> list[str]:
    """Return the REVOKE and GRANT statements that change `before` to `after`.

    `on` is the object as GRANT names it, for example `function app.f()`.
    """
    return [prefix + change.statement(_words(change.letters), on) for change in _changes(before, after)]


def column_grants(before: Mapping[str, Rights], after: Mapping[str, Rights], table: str) -> list[str]:
    """Return the statements that change the privileges on columns, one for all columns of a role.

    `before` and `after` contain the privileges of each column by its name.
    """
    columns: dict[tuple[_Action, str], dict[str, list[str]]] = {}
    for column in sorted(before.keys() | after.keys()):
        for change in _changes(before.get(column, {}), after.get(column, {})):
            by_letter = columns.setdefault((change.action, change.role), {})
            for letter in change.letters:
                by_letter.setdefault(letter, []).append(column)
    statements: list[str] = []
    for (action, role), by_letter in sorted(columns.items(), key=lambda item: (item[0][1], item[0][0])):
        letters = [letter for letter in _WORDS if letter in by_letter]
        words = ", ".join(f"{_WORDS[letter]} ({', '.join(by_letter[letter])})" for letter in letters)
        statements.append(_Change(action, role, letters).statement(words, table))
    return statements


class _Action(IntEnum):
    """The kinds of change, in the order of their statements."""

    REVOKE = 0
    REVOKE_GRANT_OPTION = 1
    GRANT = 2
    GRANT_WITH_OPTION = 3


@dataclass(frozen=True, slots=True)
class _Change:
    """One REVOKE or GRANT of privilege letters for one role."""

    action: _Action
    role: str
    letters: list[str]

    def statement(self, words: str, on: str) -> str:
        grantee = self.role or "public"
        if self.action in (_Action.REVOKE, _Action.REVOKE_GRANT_OPTION):
            option = "grant option for " if self.action == _Action.REVOKE_GRANT_OPTION else ""
            return f"revoke {option}{words} on {on} from {grantee};"
        option = " with grant option" if self.action == _Action.GRANT_WITH_OPTION else ""
        return f"grant {words} on {on} to {grantee}{option};"


def _changes(before: Rights, after: Rights) -> Iterator[_Change]:
    for role in sorted(before.keys() | after.keys()):
        old, new = before.get(role, {}), after.get(role, {})
        letters = {
            _Action.REVOKE: [letter for letter in _WORDS if letter in old and letter not in new],
            _Action.REVOKE_GRANT_OPTION: [
                letter for letter in _WORDS if old.get(letter) and new.get(letter) is False
            ],
            _Action.GRANT: [letter for letter in _WORDS if new.get(letter) is False and letter not in old],
            _Action.GRANT_WITH_OPTION: [
                letter for letter in _WORDS if new.get(letter) and not old.get(letter)
            ],
        }
        yield from (_Change(action, role, changed) for action, changed in letters.items() if changed)


def _words(letters: list[str]) -> str:
    if set(_TABLE) <= set(letters):
        return "all"
    return ", ".join(_WORDS[letter] for letter in letters)

"""Parse access control lists (`reader=r/owner`) and generate GRANT and REVOKE from their differences."""

from __future__ import annotations

import re

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


def grants(before: Rights, after: Rights, on: str, *, column: str = "", prefix: str = "") -> list[str]:
    """Return the REVOKE and GRANT statements that change `before` to `after`.

    `on` is the object as GRANT names it, for example `function app.f()`.
    """
    statements: list[str] = []
    for role in sorted(before.keys() | after.keys()):
        old, new = before.get(role, {}), after.get(role, {})
        grantee = role or "public"
        revoked = [letter for letter in _WORDS if letter in old and letter not in new]
        grant_only = [letter for letter in _WORDS if old.get(letter) and new.get(letter) is False]
        granted = [letter for letter in _WORDS if new.get(letter) is False and letter not in old]
        grantable = [letter for letter in _WORDS if new.get(letter) and not old.get(letter)]
        if revoked:
            statements.append(f"{prefix}revoke {_words(revoked, column)} on {on} from {grantee};")
        if grant_only:
            statements.append(
                f"{prefix}revoke grant option for {_words(grant_only, column)} on {on} from {grantee};"
            )
        if granted:
            statements.append(f"{prefix}grant {_words(granted, column)} on {on} to {grantee};")
        if grantable:
            statements.append(
                f"{prefix}grant {_words(grantable, column)} on {on} to {grantee} with grant option;"
            )
    return statements


def _words(letters: list[str], column: str) -> str:
    if set(_TABLE) <= set(letters):
        return "all"
    return ", ".join(_WORDS[letter] + (f" ({column})" if column else "") for letter in letters)

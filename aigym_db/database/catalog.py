"""The catalog of a database: every object with its facts, read in one round trip.

Each file of `aigym_db/sql/catalog/` returns one kind of object. Its columns are `kind`, `name` and one
column per fact (or `fact` and `value`, one row per fact); NULL is PostgreSQL's default and not a fact. A new
kind is a new file. Facts contain names of objects, never oids, so catalogs of two databases are comparable.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache

import psycopg
from psycopg.rows import tuple_row

from aigym_db.database.queries import FOLDER, query
from aigym_db.model.catalog import Catalog, Key

_SESSION = {
    # The output of expressions and constants, and which names are qualified, depend on these.
    "search_path": "pg_catalog",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    # Compiling these short queries takes longer than running them.
    "jit": "off",
}
_SET = "select " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SESSION.items())


def snapshot(
    connection: psycopg.Connection[object],
    *,
    partition_schema: str | None = None,
    ignore_schemas: tuple[str, ...] = ("aigym_db",),
    all_roles: bool = False,
) -> Catalog:
    """Return the current catalog, including uncommitted changes of the open transaction.

    The session is unchanged afterwards. Partitions in `partition_schema` are created and dropped over time:
    facts of their parent describe them, without names and count. Of the server's roles only those are
    included that own an object, have a privilege or are named in a policy, with their memberships; with
    `all_roles` every role.
    """
    names = {"ignored": list(ignore_schemas), "partitions": partition_schema or ""}
    objects: dict[Key, dict[str, str]] = {}
    with connection.pipeline(), connection.transaction(force_rollback=True):
        connection.execute(_SET)
        cursors = [connection.cursor(row_factory=tuple_row) for _ in _kinds()]
        for cursor, kind in zip(cursors, _kinds(), strict=True):
            cursor.execute(query(f"catalog/{kind}"), names)
        for cursor in cursors:
            _take(objects, cursor)
    _name_all_privileges(objects, connection.info.server_version)
    return Catalog(objects if all_roles else _without_strangers(objects))


def fingerprint(catalog: Catalog) -> str:
    """Return the SHA-256 of the facts in hexadecimal; equal for equal catalogs only."""
    facts = [[key.kind, key.name, sorted(catalog.facts[key].items())] for key in sorted(catalog.facts)]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@cache
def _kinds() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (FOLDER / "catalog").glob("*.sql")))


def _take(objects: dict[Key, dict[str, str]], cursor: psycopg.Cursor[tuple[str | None, ...]]) -> None:
    rows = cursor.fetchall()
    facts = [column.name for column in cursor.description or ()][2:]
    if facts == ["fact", "value"]:
        for kind, name, fact, value in rows:
            objects.setdefault(Key(str(kind), str(name)), {})[str(fact)] = str(value)
        return
    for kind, name, *values in rows:
        present = {fact: value for fact, value in zip(facts, values, strict=True) if value is not None}
        key = Key(str(kind), str(name))
        if key in objects:
            objects[key].update(present)
        else:
            objects[key] = present


def _name_all_privileges(objects: dict[Key, dict[str, str]], server_version: int) -> None:
    """Replace the list of every table privilege by `all`: version 17 has one more (MAINTAIN)."""
    every = "=arwdDxtm/" if server_version >= 170000 else "=arwdDxt/"
    for facts in objects.values():
        for fact in ("acl", "partitions"):
            if every in facts.get(fact, ""):
                facts[fact] = facts[fact].replace(every, "=all/")


_GRANT = re.compile(r'("(?:[^"]|"")*"|[^\s="/]*)=[^\s/]*/("(?:[^"]|"")*"|\S+)')


def _without_strangers(objects: dict[Key, dict[str, str]]) -> dict[Key, dict[str, str]]:
    """Return the facts without roles that are unrelated to this database."""
    near: set[str] = set()
    for key, facts in objects.items():
        if key.kind == "setting" and key.name.endswith(" in this database"):
            near.add(_role_of_setting(key))
        near |= _named_roles(facts)
    groups = [key.name.split(" in ", 1) for key in objects if key.kind == "membership"]
    pairs = [(_plain(member), _plain(group)) for member, group in groups]
    grown = True
    while grown:
        reached = {group for member, group in pairs if member in near}
        grown = not reached <= near
        near |= reached

    def kept(key: Key) -> bool:
        if key.kind == "role":
            return _plain(key.name) in near
        if key.kind == "membership":
            member, group = key.name.split(" in ", 1)
            return _plain(member) in near or _plain(group) in near
        if key.kind == "setting":
            return (
                key.name.endswith(" of all roles")
                or key.name.endswith(" in this database")
                or _role_of_setting(key) in near
            )
        return True

    return {key: facts for key, facts in objects.items() if kept(key)}


def _role_of_setting(key: Key) -> str:
    return _plain(key.name.partition(" of ")[2].removesuffix(" in this database"))


def _named_roles(facts: dict[str, str]) -> set[str]:
    named = {_plain(facts["owner"])} if "owner" in facts else set()
    if "roles" in facts:
        named |= {_plain(role) for role in facts["roles"].split(", ")}
    return named | _grantees(facts.get("acl", "")) | _grantees(facts.get("partitions", ""))


@cache
def _grantees(acl: str) -> frozenset[str]:
    return frozenset(_plain(role) for grant in _GRANT.findall(acl) for role in grant)


def _plain(role: str) -> str:
    return role[1:-1].replace('""', '"') if role.startswith('"') else role

"""What a database holds, read in one go: every object, and everything that is true of it.

Each file of `aigym_db/sql/catalog/` answers for one kind of object. Its columns are `kind`, `name` and one
column per fact (or `fact` and `value`, one row per fact); what is NULL is as PostgreSQL makes it by itself
and no fact. A new kind is a new file. Facts name objects, never their numbers, so catalogs of two databases
can be compared.
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
    # How expressions and constants are printed depends on these; so does what needs its schema written.
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
    """Everything the database holds at this moment, also what the open transaction has changed.

    Leaves the connection as it was. Partitions in `partition_schema` come and go with time: their parent's
    facts say how they look, and neither their names nor their number. Of the server's roles only those that
    own something here, were granted something here or are named by a policy are seen, with their memberships;
    with `all_roles` every one.
    """
    names = {"ignored": list(ignore_schemas), "partitions": partition_schema or ""}
    found: dict[Key, dict[str, str]] = {}
    with connection.pipeline(), connection.transaction(force_rollback=True):
        connection.execute(_SET)
        cursors = [connection.cursor(row_factory=tuple_row) for _ in _kinds()]
        for cursor, kind in zip(cursors, _kinds(), strict=True):
            cursor.execute(query(f"catalog/{kind}"), names)
        for cursor in cursors:
            _take(found, cursor)
    _name_all_privileges(found, connection.info.server_version)
    return Catalog(found if all_roles else _without_strangers(found))


def fingerprint(catalog: Catalog) -> str:
    """The same for two catalogs exactly when they have the same facts: SHA-256, hexadecimal."""
    facts = [[key.kind, key.name, sorted(catalog.facts[key].items())] for key in sorted(catalog.facts)]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@cache
def _kinds() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (FOLDER / "catalog").glob("*.sql")))


def _take(found: dict[Key, dict[str, str]], cursor: psycopg.Cursor[tuple[str | None, ...]]) -> None:
    rows = cursor.fetchall()
    facts = [column.name for column in cursor.description or ()][2:]
    if facts == ["fact", "value"]:
        for kind, name, fact, value in rows:
            found.setdefault(Key(str(kind), str(name)), {})[str(fact)] = str(value)
        return
    for kind, name, *values in rows:
        said = {fact: value for fact, value in zip(facts, values, strict=True) if value is not None}
        key = Key(str(kind), str(name))
        if key in found:
            found[key].update(said)
        else:
            found[key] = said


def _name_all_privileges(found: dict[Key, dict[str, str]], server_version: int) -> None:
    """Writes `all` where somebody holds every privilege on a table: version 17 has one more (MAINTAIN)."""
    every = "=arwdDxtm/" if server_version >= 170000 else "=arwdDxt/"
    for facts in found.values():
        for fact in ("acl", "partitions"):
            if every in facts.get(fact, ""):
                facts[fact] = facts[fact].replace(every, "=all/")


_GRANT = re.compile(r'("(?:[^"]|"")*"|[^\s="/]*)=[^\s/]*/("(?:[^"]|"")*"|\S+)')


def _without_strangers(found: dict[Key, dict[str, str]]) -> dict[Key, dict[str, str]]:
    """The facts without roles that have nothing to do with this database."""
    near: set[str] = set()
    for key, facts in found.items():
        if key.kind == "setting" and key.name.endswith(" in this database"):
            near.add(_plain(key.name.removesuffix(" in this database")))
        near |= _named_roles(facts)
    groups = [key.name.split(" in ", 1) for key in found if key.kind == "membership"]
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
                key.name.endswith("everyone")
                or key.name.endswith(" in this database")
                or _plain(key.name) in near
            )
        return True

    return {key: facts for key, facts in found.items() if kept(key)}


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

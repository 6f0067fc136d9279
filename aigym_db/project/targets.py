"""A targets file: which databases and tenant schemas one plan is for, and how many at a time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from aigym_db.errors import BadConfig
from aigym_db.model.source import Place, Source
from aigym_db.project.toml import load, place

PARALLEL = 4
"""How many targets are at work at the same time. Each takes two connections."""

MOST = 256
"""More at a time are no faster, and select() takes no more than 1,024 connections of a process."""

OnFailure = Literal["stop", "continue"]


@dataclass(frozen=True, slots=True)
class Target:
    """One database, or one tenant schema of it."""

    name: str
    dsn: str = field(repr=False)
    """May hold a password, so it is never shown."""
    place: Place
    """Where the file says so."""
    schema: str = ""
    """The tenant's schema; empty for the database itself."""
    schemas: str = ""
    """A pattern of schemas, each of which is a target; the database knows which there are."""
    canary: bool = False
    """Whether all others wait until it went well."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a targets file says."""

    targets: tuple[Target, ...]
    parallel: int = PARALLEL
    on_failure: OnFailure = "stop"
    """Whether a failure keeps those from starting that have not yet."""


def read(path: Path, environment: Mapping[str, str], shown: str | None = None) -> Fleet:
    """The fleet that a file describes; `environment` holds the connection strings that `dsn_env` names.

    Raises BadConfig (AIG-P002) at the key or value that is wrong, OSError when the file cannot be read. A
    message never quotes a connection string.
    """
    content = path.read_bytes()
    file = shown or path.name
    try:
        source = Source(file, content.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8-sig", "replace")
        raise BadConfig(
            f"{file} is not UTF-8 text.",
            place=Source(file, good).place(len(good)),
            hint="Save the file as UTF-8.",
        ) from None
    return parse(source, environment)


def parse(source: Source, environment: Mapping[str, str]) -> Fleet:
    """The same of the text of a file."""
    try:
        return _parsed(source, environment)
    except BadConfig as refusal:
        refusal.place = refusal.place and _without_secret(refusal.place)
        raise


def _parsed(source: Source, environment: Mapping[str, str]) -> Fleet:
    content = load(source)
    _check(source, "The top of a targets file", content, _TOP, lambda key: _top(source, key))
    tables = content.get("target", [])
    if not tables:
        raise BadConfig(
            f"{source.file} names no target.",
            place=source.place(0),
            hint="Write a [[target]] table for each database, with `name` and `dsn_env`.",
        )
    targets = tuple(_target(source, number, table, environment) for number, table in enumerate(tables))
    _refuse_twice(source, targets)
    return Fleet(targets, content.get("parallel", PARALLEL), content.get("on_failure", "stop"))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


_TOP = {
    "parallel": (
        lambda value: isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST,
        f"a whole number from 1 to {MOST}",
    ),
    "on_failure": (lambda value: value in ("stop", "continue"), 'either "stop" or "continue"'),
    "target": (
        lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
        "a list of [[target]] tables",
    ),
}
_KEYS = {
    "name": (lambda value: _is_text(value) and str(value).isprintable(), "a name"),
    "dsn": (_is_text, "a connection string"),
    "dsn_env": (
        lambda value: isinstance(value, str) and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", value),
        "the name of an environment variable",
    ),
    "schema": (_is_text, "the name of a schema"),
    "schemas": (_is_text, "a pattern of schema names, as in `tenant_*`"),
    "canary": (lambda value: isinstance(value, bool), "true or false"),
}


def _target(source: Source, number: int, table: dict[str, Any], environment: Mapping[str, str]) -> Target:
    def at(key: str | None = None) -> Place:
        return place(source, "target", number, key)

    _check(source, "A target", table, _KEYS, at)
    if "name" not in table:
        raise BadConfig(
            f"Target number {number + 1} has no `name`.",
            place=at(),
            hint="Add `name = …`: the report calls it so.",
        )
    if ("dsn" in table) == ("dsn_env" in table):
        raise BadConfig(
            f"The target {table['name']} needs one of `dsn` and `dsn_env`.",
            place=at("dsn_env"),
            hint="Name an environment variable in `dsn_env`, or write a `dsn` without a password.",
        )
    if "schema" in table and "schemas" in table:
        raise BadConfig(
            f"The target {table['name']} has both `schema` and `schemas`.",
            place=at("schemas"),
            hint="Give the one tenant another [[target]]; the pattern leaves it out by itself.",
        )
    dsn = table["dsn"] if "dsn" in table else environment.get(table["dsn_env"], "")
    if not dsn.strip():
        raise BadConfig(
            f"The environment variable {table['dsn_env']} of the target {table['name']} is not set.",
            place=at("dsn_env"),
            hint="Set it to the connection string of that database.",
        )
    return Target(
        table["name"],
        dsn.strip(),
        at(),
        table.get("schema", ""),
        table.get("schemas", ""),
        table.get("canary", False),
    )


def _check(source: Source, what: str, table: Mapping[str, Any], keys: Mapping[str, Any], at: Any) -> None:
    for key, value in table.items():
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            raise BadConfig(
                f"{what} has no key `{key}`.",
                place=at(key),
                hint=f"Write `{near[0]}`." if near else f"Use one of: {', '.join(keys)}.",
            )
        fits, words = keys[key]
        if not fits(value):
            raise BadConfig(f"`{key}` must be {words}.", place=at(key), hint=f"Give {words}.")


def _refuse_twice(source: Source, targets: tuple[Target, ...]) -> None:
    """Two targets that are the same are one that was meant to be another."""
    names: dict[str, Target] = {}
    homes: dict[tuple[str, str, str], Target] = {}
    for number, target in enumerate(targets):
        if target.name in names:
            raise BadConfig(
                f"Two targets are called {target.name}.",
                place=place(source, "target", number, "name"),
                hint="Give each a name of its own.",
            )
        # Without a tenant, names without a schema are those of `public`.
        home = (target.dsn, "" if target.schema == "public" else target.schema, target.schemas)
        same = homes.setdefault(home, target)
        if same is not target:
            raise BadConfig(
                f"The targets {same.name} and {target.name} are the same database.",
                place=place(source, "target", number),
                hint="Correct one of them, or leave it out.",
            )
        names[target.name] = target


def _without_secret(at: Place) -> Place:
    """The place without what its line says, where that may be a connection string, however mistaken."""
    key, _, value = at.text.partition("=")
    harmless = key.lstrip().startswith("[") or key.strip() in {*_TOP, *_KEYS} - {"dsn", "target"}
    return at if harmless and not re.search("://|=", value) else replace(at, text="")


def _top(source: Source, key: str) -> Place:
    found = re.search(rf"^[ \t]*\[*[ \t]*[\"']?{re.escape(key)}\b", source.text, re.MULTILINE)
    return source.place(found.start() if found else 0)

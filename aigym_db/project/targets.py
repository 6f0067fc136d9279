"""A targets file: which databases and tenant schemas one plan is for, and how many at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from aigym_db.model.source import Place, Source
from aigym_db.project.toml import (
    BOOLEAN,
    Document,
    ValueKind,
    choice,
    decode,
    integer,
    parse_document,
    tables,
)

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
    return parse(decode(path.read_bytes(), shown or path.name), environment)


def parse(source: Source, environment: Mapping[str, str]) -> Fleet:
    """Return the fleet that the text of a targets file describes; see `read`."""
    document = parse_document(source, redact=_without_secret)
    content = document.checked(document.values, TOP_KINDS, what="A targets file")
    tables_of_targets = content.get("target", [])
    if not tables_of_targets:
        raise document.wrong(
            f"{source.file} names no target.",
            hint="Write a [[target]] table for each database, with `name` and `dsn_env`.",
        )
    targets = tuple(
        _target(document, number, table, environment) for number, table in enumerate(tables_of_targets)
    )
    _check_distinct(document, targets)
    return Fleet(targets, content.get("parallel", PARALLEL), content.get("on_failure", "stop"))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


TOP_KINDS = {
    "parallel": integer(1, MOST),
    "on_failure": choice("stop", "continue"),
    "target": tables("target"),
}
TARGET_KINDS = {
    "name": ValueKind(lambda value: _is_text(value) and str(value).isprintable(), "a name"),
    "dsn": ValueKind(_is_text, "a connection string"),
    "dsn_env": ValueKind(
        lambda value: isinstance(value, str) and bool(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", value)),
        "the name of an environment variable",
    ),
    "schema": ValueKind(_is_text, "the name of a schema"),
    "schemas": ValueKind(_is_text, "a pattern of schema names, as in `tenant_*`"),
    "canary": BOOLEAN,
}


def _target(document: Document, number: int, table: dict[str, Any], environment: Mapping[str, str]) -> Target:
    path = ("target", number)
    document.checked(table, TARGET_KINDS, *path, what="A target")
    if "name" not in table:
        raise document.wrong(
            f"Target number {number + 1} has no `name`.",
            *path,
            hint="Add `name = …`: the report calls it so.",
        )
    if ("dsn" in table) == ("dsn_env" in table):
        raise document.wrong(
            f"The target {table['name']} needs one of `dsn` and `dsn_env`.",
            *path,
            "dsn_env",
            hint="Name an environment variable in `dsn_env`, or write a `dsn` without a password.",
        )
    if "schema" in table and "schemas" in table:
        raise document.wrong(
            f"The target {table['name']} has both `schema` and `schemas`.",
            *path,
            "schemas",
            hint="Give the one tenant another [[target]]; the pattern leaves it out by itself.",
        )
    dsn = table["dsn"] if "dsn" in table else environment.get(table["dsn_env"], "")
    if not dsn.strip():
        raise document.wrong(
            f"The environment variable {table['dsn_env']} of the target {table['name']} is not set.",
            *path,
            "dsn_env",
            hint="Set it to the connection string of that database.",
        )
    return Target(
        table["name"],
        dsn.strip(),
        document.place(*path),
        table.get("schema", ""),
        table.get("schemas", ""),
        table.get("canary", False),
    )


def _check_distinct(document: Document, targets: tuple[Target, ...]) -> None:
    """Raise BadConfig (AIG-P002) if two targets have one name, or are one database and schema."""
    names: dict[str, Target] = {}
    homes: dict[tuple[str, str, str], Target] = {}
    for number, target in enumerate(targets):
        if target.name in names:
            raise document.wrong(
                f"Two targets are called {target.name}.",
                *("target", number, "name"),
                hint="Give each a name of its own.",
            )
        # Without a tenant, names without a schema are those of `public`.
        home = (target.dsn, "" if target.schema == "public" else target.schema, target.schemas)
        same = homes.setdefault(home, target)
        if same is not target:
            raise document.wrong(
                f"The targets {same.name} and {target.name} are the same database.",
                *("target", number),
                hint="Correct one of them, or leave it out.",
            )
        names[target.name] = target


def _without_secret(at: Place) -> Place:
    """The place without what its line says, where that may be a connection string, however mistaken."""
    key, _, value = at.text.partition("=")
    harmless = key.lstrip().startswith("[") or key.strip() in {*TOP_KINDS, *TARGET_KINDS} - {"dsn", "target"}
    return at if harmless and not re.search("://|=", value) else replace(at, text="")

"""The targets file: the databases and tenant schemas of a fleet, and how many run at the same time."""

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
"""Number of targets that run at the same time. Each uses two connections."""

MOST = 256
"""Largest number of targets at the same time: more are not faster, and select() is limited to 1,024
connections of a process."""

OnFailure = Literal["stop", "continue"]


@dataclass(frozen=True, slots=True)
class Target:
    """One database, or one tenant schema of it."""

    name: str
    dsn: str = field(repr=False)
    """The connection string; excluded from repr() because it may contain a password."""
    place: Place
    """The place of its table in the file."""
    schema: str = ""
    """The tenant's schema; empty for the database itself."""
    schemas: str = ""
    """A pattern of schema names, as in `tenant_*`; each matching schema of the database is a target."""
    canary: bool = False
    """True if all other targets start only after this one has succeeded."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The content of a targets file."""

    targets: tuple[Target, ...]
    parallel: int = PARALLEL
    on_failure: OnFailure = "stop"
    """`stop`: after an error no further target starts."""


def read(path: Path, environment: Mapping[str, str], shown: str | None = None) -> Fleet:
    """Return the fleet that a file describes; `environment` contains the variables named in `dsn_env`.

    Raise BadConfig (AIG-P002) with the place of an invalid key or value, OSError if the file cannot be read.
    Messages never contain a connection string.
    """
    return parse(decode(path.read_bytes(), shown or path.name), environment)


def parse(source: Source, environment: Mapping[str, str]) -> Fleet:
    """Return the fleet that the text of a targets file describes; see `read`."""
    document = parse_document(source, redact=_without_secret, noun="setting")
    content = document.checked(document.values, TOP_KINDS, subject="A targets file")
    tables_of_targets = content.get("target", [])
    if not tables_of_targets:
        raise document.wrong(
            f"{source.file} contains no target.",
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
    "parallel": integer(1, MOST, PARALLEL),
    "on_failure": choice("stop", "continue"),
    "target": tables("target"),
}
TARGET_KINDS = {
    "name": ValueKind(lambda value: _is_text(value) and str(value).isprintable(), "a name", '"shop-eu"'),
    "dsn": ValueKind(_is_text, "a connection string", '"host=… dbname=…"'),
    "dsn_env": ValueKind(
        lambda value: isinstance(value, str) and bool(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", value)),
        "the name of an environment variable",
        '"SHOP_EU_DSN"',
    ),
    "schema": ValueKind(_is_text, "the name of a schema", '"tenant_a"'),
    "schemas": ValueKind(_is_text, "a pattern of schema names", '"tenant_*"'),
    "canary": BOOLEAN,
}


def _target(document: Document, number: int, table: dict[str, Any], environment: Mapping[str, str]) -> Target:
    path = ("target", number)
    document.checked(table, TARGET_KINDS, *path, subject="A target")
    if "name" not in table:
        raise document.wrong(
            f"Target number {number + 1} has no `name`.",
            *path,
            hint="Add `name = …`: the report shows the target under this name.",
        )
    if ("dsn" in table) == ("dsn_env" in table):
        raise document.wrong(
            f"The target {table['name']} needs either `dsn` or `dsn_env`.",
            *path,
            "dsn_env",
            hint="Name an environment variable in `dsn_env`, or write a `dsn` without a password.",
        )
    if "schema" in table and "schemas" in table:
        raise document.wrong(
            f"The target {table['name']} has both `schema` and `schemas`.",
            *path,
            "schemas",
            hint="Write a separate [[target]] for the single tenant; the pattern then excludes it.",
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
    """Raise BadConfig (AIG-P002) if two targets have the same name, or the same database and schema."""
    names: dict[str, Target] = {}
    schemas: dict[tuple[str, str, str], Target] = {}
    for number, target in enumerate(targets):
        if target.name in names:
            raise document.wrong(
                f"The name {target.name} is used by two targets.",
                *("target", number, "name"),
                hint="Use a different name for each target.",
            )
        # Without a tenant schema, unqualified names resolve to `public`.
        schema = (target.dsn, "" if target.schema == "public" else target.schema, target.schemas)
        same = schemas.setdefault(schema, target)
        if same is not target:
            raise document.wrong(
                f"The targets {same.name} and {target.name} are the same database.",
                *("target", number),
                hint="Correct or remove one of them.",
            )
        names[target.name] = target


def _without_secret(place: Place) -> Place:
    """Return the place without the value of its line if that may contain a connection string, valid or not.

    The line is removed as a whole if it does not begin with a key.
    """
    key, sign, value = place.text.partition("=")
    harmless = key.lstrip().startswith("[") or key.strip() in {*TOP_KINDS, *TARGET_KINDS} - {"dsn", "target"}
    if harmless and not re.search("://|=", value):
        return place
    is_key = sign and re.fullmatch(r"\s*[A-Za-z_][A-Za-z0-9_-]*\s*", key)
    return replace(place, text=f"{key}= …" if is_key else "")

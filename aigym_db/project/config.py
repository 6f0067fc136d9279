"""A project: its folder and its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aigym_db.errors import NoProject
from aigym_db.model.session import MigrationSession
from aigym_db.project.toml import (
    BOOLEAN,
    STRING,
    STRINGS,
    ValueKind,
    choice,
    decode,
    integer,
    parse_document,
    table_of,
)

LOCK_TIMEOUT_MS = 2_000
"""Maximum time that a statement waits for a lock. Later queries queue behind a waiting DDL statement, so this
bounds the pause that a migration can cause. Source: PostgreSQL documentation, "Explicit Locking"."""


LONGEST_MS = 2**31 - 1
"""Maximum value of PostgreSQL's timeout settings, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with templates and migrations, and its settings; see docs/configuration.md."""

    root: Path
    file: str | None = None
    """The configuration file, relative to the root; None if there is none."""
    owner: str | None = None
    """The role that owns every object and that migrations run as; None for the role that connects."""
    partition_schema: str | None = None
    """The schema of partitions that are created and dropped as time passes; templates do not describe it."""
    seeds: tuple[str, ...] = ()
    """The seed sets that `up` loads, in order."""
    search_path: tuple[str, ...] = ("public",)
    """The schemas in which unqualified names are looked up; new objects are created in the first."""
    lock_timeout_ms: int = LOCK_TIMEOUT_MS
    transaction: Literal["migration", "run"] = "migration"
    """Whether a run has one transaction for each migration, or one for all of them."""
    durable: bool = False
    """True if every commit of a run waits for the disk, false if only the last one does."""
    server: str = "embedded"
    """The server of throwaway databases and of the local database, e.g. `embedded:16`."""
    lint: Mapping[str, str] = field(default_factory=dict)
    """Level per lint rule: error, warning, note or off."""

    @property
    def has_state(self) -> bool:
        """True if the project has templates, false if it contains only migrations."""
        return (self.root / "schema").is_dir()

    @property
    def session(self) -> MigrationSession:
        """The session in which the files of the project run."""
        return MigrationSession(self.owner, self.search_path)

    @property
    def local(self) -> Path:
        """The folder of the project's own development server."""
        return self.root / ".aigym-db"

    def show(self, path: Path) -> str:
        """Return a path relative to the root, with forward slashes."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


def find(start: Path | str = ".") -> Project:
    """Return the project of a folder: the nearest one at or above it.

    Raise NoProject (AIG-P001) if there is none, BadConfig (AIG-P002) if a setting is unknown or has a wrong
    value.
    """
    start = Path(start).resolve()
    if not start.is_dir():
        raise NoProject(f"There is no folder {start}.", hint="Check the path given to -C.")
    for folder in (start, *start.parents):
        if (folder / "aigym-db.toml").is_file():
            return _read(folder, "aigym-db.toml")
        if (folder / "pyproject.toml").is_file() and _has_table(folder / "pyproject.toml"):
            return _read(folder, "pyproject.toml")
        if (folder / "migrations").is_dir():
            return Project(folder)
    raise NoProject(
        f"There is no aigym-db project in {start} or above it.",
        hint="Run `aigym-db init DIR` to make one, or name its folder with -C.",
    )


def _has_table(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.search(r"^\s*\[tool\.aigym-db[\].]", text, re.MULTILINE) is not None


def _read(root: Path, file: str) -> Project:
    document = parse_document(decode((root / file).read_bytes(), file))
    if file == "pyproject.toml":
        document = document.table("tool", "aigym-db")
    values = document.checked(document.values, SETTINGS, subject="The configuration")
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return Project(root, file, **settings)


def _is_search_path(schemas: Any) -> bool:
    return (
        STRINGS.accepts(schemas)
        and len({*schemas}) == len(schemas)
        and not {"$user", "pg_temp"} & {*schemas}
        and all(schema and "\0" not in schema and len(schema.encode()) <= 63 for schema in schemas)
    )


SETTINGS: Mapping[str, ValueKind] = {
    "owner": STRING,
    "partition_schema": STRING,
    "seeds": STRINGS,
    "search_path": ValueKind(
        _is_search_path,
        'a list of schema names, each once, none of them "$user" or "pg_temp"',
        {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "not": {"enum": ["$user", "pg_temp"]}},
            "uniqueItems": True,
        },
    ),
    "lock_timeout_ms": integer(1, LONGEST_MS),
    "transaction": choice("migration", "run"),
    "durable": BOOLEAN,
    "server": STRING,
    "lint": table_of(choice("error", "warning", "note", "off")),
}
"""The values of each setting; the fields of Project describe what a setting does."""

"""A project: its folder and its settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from aigym_db.errors import AigymError, BadConfig, NoProject
from aigym_db.model.session import MigrationSession
from aigym_db.project.partitioning import PATTERN as PARTITIONING
from aigym_db.project.partitioning import is_range
from aigym_db.project.suppressions import KEYS as SUPPRESSION
from aigym_db.project.suppressions import REQUIRED as SUPPRESSION_REQUIRED
from aigym_db.project.suppressions import Suppression, suppressions
from aigym_db.project.toml import (
    BOOLEAN,
    TEXT,
    Document,
    Key,
    ValueKind,
    choice,
    decode,
    integer,
    list_of,
    parse_document,
    table_of,
    tables,
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
    partitions: Mapping[str, str] = field(default_factory=dict)
    """Partitioning by time of tables without a card, e.g. `range created_at month keep 24`, by table."""
    partition_archive: str | None = None
    """The folder, relative to the root, of files with the rows of detached partitions; None writes none."""
    seeds: tuple[str, ...] = ()
    """The seed sets that `up` loads, in order."""
    search_path: tuple[str, ...] = ("public",)
    """The schemas in which unqualified names are looked up; new objects are created in the first."""
    lock_timeout_ms: int = LOCK_TIMEOUT_MS
    transaction: Literal["migration", "run"] = "migration"
    """`migration`: one transaction for each migration. `run`: one for all migrations of a run."""
    durable: bool = False
    """True if every commit of a run waits for the disk, false if only the last one does."""
    server: str = "embedded"
    """The server of temporary databases and of the local database, e.g. `embedded:16`."""
    health_suppressions: tuple[Suppression, ...] = ()
    """Reports of `health` that are known, each with a reason and an end."""
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


def find(start: Project | Path | str = ".") -> Project:
    """Return the project of a folder: the nearest one at or above it. A project is returned unchanged.

    Raise NoProject (AIG-P001) if there is none, BadConfig (AIG-P002) if a setting is unknown or has a wrong
    value.
    """
    if isinstance(start, Project):
        return start
    start = Path(start).resolve()
    if not start.is_dir():
        raise NoProject(f"There is no folder {start}.", hint="Specify the folder of a project.")
    for folder in (start, *start.parents):
        if (folder / "aigym-db.toml").is_file():
            return _read(folder, "aigym-db.toml")
        if (folder / "pyproject.toml").is_file() and _has_table(folder / "pyproject.toml"):
            return _read(folder, "pyproject.toml")
        if (folder / "migrations").is_dir():
            return Project(folder)
    raise NoProject(
        f"There is no aigym-db project in {start} or above it.",
        hint="Run `aigym-db init DIR` to create a project, or specify the folder of one.",
    )


def _has_table(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.search(r"^\s*\[tool\.aigym-db[\].]", text, re.MULTILINE) is not None


def unknown_setting(
    project: Project, message: str, name: str, known: Collection[str], *path: Key
) -> AigymError:
    """Return the error BadConfig (AIG-P002) of an unknown name in the configuration file of a project."""
    if project.file is None:
        return BadConfig(message, hint=f"Use one of: {', '.join(sorted(known))}.")
    return _document(project.root, project.file).unknown(message, name, known, *path)


def wrong_setting(project: Project, message: str, *path: Key, hint: str) -> AigymError:
    """Return the error BadConfig (AIG-P002) of a value in the configuration file of a project."""
    if project.file is None:
        return BadConfig(message, hint=hint)
    return _document(project.root, project.file).wrong(message, *path, hint=hint)


def is_server_name(name: Any) -> bool:
    """True if a name has the form of a server's name; its programs may be missing on this machine."""
    return isinstance(name, str) and re.fullmatch(_SERVER, name) is not None


SERVER_NAMES = (
    "`embedded`, `embedded:16`, `system:15`, `path:DIR` with the folder that contains `bin/`, or "
    "`container:IMAGE`"
)
"""The forms of a server's name, for hints."""
_SERVER = r"(embedded|system)(:[0-9]+)?|path:.+|container(:.+)?"


def _document(root: Path, file: str) -> Document:
    document = parse_document(decode((root / file).read_bytes(), file), noun="setting")
    return document.table("tool", "aigym-db") if file == "pyproject.toml" else document


def _read(root: Path, file: str) -> Project:
    document = _document(root, file)
    values = document.checked(document.values, SETTINGS, subject="The configuration")
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    if "health_suppressions" in settings:
        entries = values["health_suppressions"]
        settings["health_suppressions"] = suppressions(document, entries, "health_suppressions")
    return Project(root, file, **settings)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= 63 and "\0" not in value


def _name(words: str, example: str) -> ValueKind:
    """Return the kind of the names of PostgreSQL objects."""
    return ValueKind(_is_name, words, f'"{example}"', {"type": "string", "minLength": 1})


def _is_search_path(schemas: Any) -> bool:
    return _SCHEMAS.accepts(schemas) and len({*schemas}) == len(schemas) > 0


_SCHEMAS = list_of(
    ValueKind(
        lambda value: _is_name(value) and value not in ("$user", "pg_temp"),
        "the name of a schema",
        '"public"',
        {"type": "string", "minLength": 1, "not": {"enum": ["$user", "pg_temp"]}},
    ),
    'a list of one or more schema names, each once, none of them "$user" or "pg_temp"',
    '["public"]',
    minItems=1,
    uniqueItems=True,
)
_SEED_SET = _name("the name of a seed set", "reference")

SETTINGS: Mapping[str, ValueKind] = {
    "owner": _name("the name of a role", "app_owner"),
    "partition_schema": _name("the name of a schema", "partitions"),
    "partitions": table_of(
        ValueKind(
            is_range,
            "`range COLUMN day|month keep N`",
            '"range created_at month keep 24"',
            {"type": "string", "pattern": f"^{PARTITIONING}$"},
        )
    ),
    "partition_archive": TEXT,
    "seeds": list_of(_SEED_SET, "a list of the names of seed sets", '["reference"]'),
    "search_path": replace(_SCHEMAS, accepts=_is_search_path),
    "lock_timeout_ms": integer(1, LONGEST_MS, LOCK_TIMEOUT_MS),
    "transaction": choice("migration", "run"),
    "durable": BOOLEAN,
    "server": ValueKind(
        is_server_name,
        f"the name of a server: {SERVER_NAMES}",
        '"embedded"',
        {"type": "string", "pattern": f"^({_SERVER})$"},
    ),
    "health_suppressions": replace(
        tables("health_suppressions"),
        schema={
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: kind.schema for name, kind in SUPPRESSION.items()},
                "required": [*SUPPRESSION_REQUIRED],
                "additionalProperties": False,
            },
        },
    ),
    "lint": table_of(choice("error", "warning", "note", "off")),
}
"""The values of each setting; the fields of Project describe what a setting does."""

"""Where a project is and what it has settled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from aigym_db.errors import BadConfig, NoProject
from aigym_db.model.session import MigrationSession
from aigym_db.model.source import Source

LOCK_TIMEOUT_MS = 2_000
"""How long a statement may wait for its lock. While it waits, later readers queue behind it, so this is the
longest pause a migration may cause. Source: PostgreSQL documentation, "Explicit Locking"."""


LONGEST_MS = 2**31 - 1
"""The longest time PostgreSQL knows for a timeout."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with templates and migrations, and its settings; see the README, "Configuration"."""

    root: Path
    file: str | None = None
    """The configuration file, relative to the root; None when there is none."""
    owner: str | None = None
    """The role that owns every object; migrations act as it. None: whoever connects."""
    partition_schema: str | None = None
    """Where partitions live that are made and dropped as time goes by; no part of the description."""
    seeds: tuple[str, ...] = ()
    """The seed sets `up` loads, in order."""
    search_path: tuple[str, ...] = ("public",)
    """The schemas in which files find names without a schema; new objects go to the first."""
    lock_timeout_ms: int = LOCK_TIMEOUT_MS
    transaction: str = "migration"
    """What one transaction of `migrate` and `rollback` holds: `migration`, or the whole `run`."""
    durable: bool = False
    """Whether every commit of a run waits for the disk, and not only the last."""
    server: str = "embedded"
    """Which server throwaway databases and the local one run on."""
    lint: Mapping[str, str] = field(default_factory=dict)
    """Level per lint rule: error, warning, note or off."""

    @property
    def has_state(self) -> bool:
        """Whether the project describes its database, and does not hold migrations alone."""
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
        """A path as people of this project write it: relative to the root, with forward slashes."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


def find(start: Path) -> Project:
    """The project that a folder belongs to: the nearest one at or above it.

    Raises NoProject (AIG-P001) when there is none, BadConfig (AIG-P002) when its settings are wrong.
    """
    start = start.resolve()
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
    import tomllib

    source = _text(root, file)
    try:
        content = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        index = len(source.text)
        if found:
            lines = source.text.splitlines(keepends=True)
            index = sum(map(len, lines[: int(found[1]) - 1])) + int(found[2]) - 1
        raise BadConfig(
            f"{file} is not valid TOML: {str(error).partition(' (at ')[0]}.",
            place=source.place(index),
            hint="Correct the line.",
        ) from None
    if file == "pyproject.toml":
        content = content.get("tool", {}).get("aigym-db", {})
    return Project(root, file, **_checked(source, content))


def _text(root: Path, file: str) -> Source:
    content = (root / file).read_bytes()
    try:
        return Source(file, content.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8-sig", "replace")
        raise BadConfig(
            f"{file} is not UTF-8 text.",
            place=Source(file, good).place(len(good)),
            hint="Save the file as UTF-8.",
        ) from None


_SETTINGS = {setting.name: setting for setting in fields(Project) if setting.name not in ("root", "file")}
_KINDS: dict[str, tuple[type, str]] = {
    "str": (str, "a string"),
    "str | None": (str, "a string"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "tuple[str, ...]": (list, "a list of strings"),
    "Mapping[str, str]": (dict, "a table of strings"),
}


def _checked(source: Source, content: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, value in content.items():
        setting = _SETTINGS.get(name)
        if setting is None:
            import difflib

            near = difflib.get_close_matches(name, _SETTINGS, 1)
            raise BadConfig(
                f"There is no setting `{name}`.",
                place=_place(source, name),
                hint=f"Write `{near[0]}`." if near else f"Use one of: {', '.join(sorted(_SETTINGS))}.",
            )
        kind, words = _KINDS[str(setting.type)]
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        if isinstance(value, list | dict):
            parts = value.values() if isinstance(value, dict) else value
            wrong = wrong or not all(isinstance(part, str) for part in parts)
        if wrong:
            raise BadConfig(
                f"`{name}` must be {words}, not {value!r}.",
                place=_place(source, name),
                hint=f"Give {words}.",
            )
        if name == "lock_timeout_ms" and not 1 <= value <= LONGEST_MS:
            raise BadConfig(
                f"`{name}` must be between 1 and {LONGEST_MS}, not {value}.",
                place=_place(source, name),
                hint="Give a short time in milliseconds: everybody else waits behind a statement that waits.",
            )
        if name == "search_path" and (wrong_schema := _wrong_schema(value)):
            raise BadConfig(
                f"`{name}` {wrong_schema}.",
                place=_place(source, name),
                hint='List the schemas in order, as in ["public", "extensions"].',
            )
        if name == "transaction" and value not in ("migration", "run"):
            raise BadConfig(
                f"`{name}` cannot be `{value}`.",
                place=_place(source, name),
                hint='Write "migration" for one transaction each, or "run" for one around a whole run.',
            )
        settings[name] = tuple(value) if isinstance(value, list) else value
    return settings


def _wrong_schema(schemas: list[str]) -> str:
    """What is wrong with a search path, as the end of a sentence; empty if nothing is."""
    for schema in schemas:
        if not schema or "\0" in schema or len(schema.encode()) > 63:
            return f"contains {schema!r}, which is not the name of a schema"
        if schema in ("$user", "pg_temp"):
            return f"contains {schema!r}, which is a different schema for each session"
        if schemas.count(schema) > 1:
            return f"contains {schema!r} twice"
    return ""


def _place(source: Source, name: str) -> Any:
    start = source.text.find("[tool.aigym-db") if source.file == "pyproject.toml" else 0
    found = re.compile(rf"^[ \t]*(?:\[tool\.aigym-db\.)?\[?(\"?{re.escape(name)}\"?)", re.MULTILINE).search(
        source.text, max(start, 0)
    )
    return source.place(found.start(1) if found else max(start, 0))

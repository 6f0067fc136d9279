"""Migrations: what a file says, what a database says it ran, and what is left to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from aigym_db.model.source import Source

Direction = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Part:
    """One direction of a migration: its SQL and the options on its marker line."""

    source: Source
    """The whole file; the part is `source.text[start:end]`, so places are those of the file."""
    start: int
    end: int
    transaction: bool = True
    lock_timeout_ms: int | None = None
    """How long a statement may wait for its lock; None is the configured default."""
    role: str | None = None
    """The role to act as; None is the configured owner, `none` the one that connected."""

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file, both directions."""

    version: int
    name: str
    """The file's name without number and ending, e.g. `add_session_rating`."""
    file: str
    """Path relative to the project."""
    up: Part
    down: Part | None
    irreversible: str | None
    """Why there is no down; None when there is one."""
    checksum: str
    """SHA-256 of the file's text with LF line ends and no byte order mark, hexadecimal."""
    made_from: tuple[str, ...] = ()
    """The templates its `-- from:` line names."""

    @property
    def label(self) -> str:
        return f"{self.version:04d} {self.name}"


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of the ledger's present: a migration this database has run."""

    version: int
    name: str
    checksum: str
    applied_at: datetime
    applied_by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What `migrate` or `rollback` will run, in order, and the ledger it was decided on."""

    direction: Direction
    migrations: tuple[Migration, ...]
    ledger_digest: str
    """Digest of the ledger the plan was made for; apply refuses when the ledger moved."""
    notes: Mapping[str, str] = field(default_factory=dict)

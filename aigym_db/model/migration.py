"""Migrations: files, ledger rows and plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from aigym_db.model.source import Source

if TYPE_CHECKING:
    from aigym_db.model.script import CopyData, Piece, Replacement

Direction = Literal["up", "down"]
Phase = Literal["expand", "contract"]
"""`expand` creates what the next version of the application needs, before it is deployed; `contract`, after
the deployment, removes what no version needs any more."""


@dataclass(frozen=True, slots=True)
class Part:
    """One direction of a migration: its SQL and the options on its marker line."""

    source: Source
    """The whole file; the part is `source.text[start:end]`, so places are those of the file."""
    start: int
    end: int
    transaction: bool = True
    lock_timeout_ms: int | None = None
    """Maximum time that a statement waits for a lock; None for the setting of the project."""
    role: str | None = None
    """The role that the part runs as; None for the owner, `none` for the role that connects."""
    batch_rows: int | None = None
    """The approximate number of rows of each batch (one transaction); None if this is not a backfill."""
    rows: tuple[CopyData, ...] = ()
    """The data of each COPY, in order."""
    instead: tuple[Replacement, ...] = ()
    """The pieces whose text is replaced before execution, in order."""
    runs: Mapping[int, int] = field(default_factory=dict)
    """Start and end offsets of runs of consecutive INSERTs and other plain statements in a long text."""

    @property
    def text(self) -> str:
        """The SQL of the part."""
        return self.source.text[self.start : self.end]

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces of the part, in order; each is sent to the server in one message.

        They are plain SQL, COPY statements with their data, and replaced text.
        """
        from aigym_db.model.script import CopyData, Piece

        special: list[CopyData | Replacement] = [*self.rows, *self.instead]
        start = self.start
        for section in sorted(special, key=lambda section: section.start):
            if isinstance(section, CopyData):
                yield Piece(start, section.statement)
                yield Piece(section.statement, section.semicolon, rows=section)
                start = section.after
                continue
            yield Piece(start, section.start)
            if section.text:
                yield Piece(section.start, section.end, section.text)
            start = section.end
        yield Piece(start, self.end)


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration file: its up and its down part."""

    version: int
    name: str
    """The file's name without number and extension, e.g. `add_session_rating`."""
    file: str
    """Path relative to the project."""
    up: Part
    down: Part | None
    irreversible: str | None
    """The reason for the missing down part; None if there is one."""
    checksum: str
    """SHA-256 of the file's text with LF line endings and without byte order mark, hexadecimal."""
    made_from: tuple[str, ...] = ()
    """The templates on its `-- from:` line."""
    phase: Phase | None = None
    """The phase on the marker line of the up part; None counts as expand."""

    @property
    def label(self) -> str:
        """Number and name as in messages: `0042 add_session_rating`."""
        return label(self.version, self.name)


@dataclass(frozen=True, slots=True)
class Applied:
    """An applied migration: one row of the view aigym_db.applied."""

    version: int
    name: str
    checksum: str
    """The checksum with its algorithm as a prefix, `sha256:…`."""
    applied_at: datetime
    applied_by: str

    @property
    def label(self) -> str:
        """Number and name as in messages: `0042 add_session_rating`."""
        return label(self.version, self.name)

    @property
    def file(self) -> str:
        """The path of its file relative to the project."""
        return f"migrations/{file_name(self.version, self.name)}"

    @property
    def file_checksum(self) -> str:
        """The checksum without the prefix, as `Migration.checksum`."""
        return self.checksum.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """The migrations that `migrate` or `rollback` will run, in order."""

    direction: Direction
    migrations: tuple[Migration, ...]
    ledger_digest: str
    """Digest of the ledger the plan was made for; `migrate` rejects the plan if the ledger has changed."""
    waiting: tuple[Migration, ...] = ()
    """The pending migrations of another phase, oldest first."""
    late: Mapping[int, int] = field(default_factory=dict)
    """The newer applied version, by version, for each migration that runs out of order."""
    unfinished: bool = False
    """True if a migration is partially applied; then a run starts even if nothing is pending."""


def label(version: int, name: str) -> str:
    """Return number and name of a migration as in messages: `0042 add_session_rating`."""
    return f"{version:04d} {name}"


def file_name(version: int, name: str) -> str:
    """Return the name of a migration's file: `0042_add_session_rating.sql`."""
    return f"{version:04d}_{name}.sql"

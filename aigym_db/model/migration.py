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
"""`expand` creates what the next version of the application needs, before it is deployed; `contract` removes
what no version needs any more, afterwards."""


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
    """The data after each COPY, in order."""
    instead: tuple[Replacement, ...] = ()
    """The pieces that are sent with another text, in order."""
    runs: Mapping[int, int] = field(default_factory=dict)
    """Where in a long text INSERTs and other plain statements are known to begin, and where those end that
    follow each other: nothing but their text can be wrong with them."""

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def pieces(self) -> Iterator[Piece]:
        """The text in the pieces it is to be sent in: what lies between data and exceptions, and those."""
        from aigym_db.model.script import CopyData, Piece

        exceptions: list[CopyData | Replacement] = [*self.rows, *self.instead]
        at = self.start
        for one in sorted(exceptions, key=lambda one: one.start):
            if isinstance(one, CopyData):
                yield Piece(at, one.statement)
                yield Piece(one.statement, one.semicolon, rows=one)
                at = one.after
                continue
            yield Piece(at, one.start)
            if one.text:
                yield Piece(one.start, one.end, one.text)
            at = one.end
        yield Piece(at, self.end)


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
    phase: Phase | None = None
    """What its up is marked as; None counts as expand."""

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
    """Digest of the ledger the plan was made for; `migrate` rejects the plan if the ledger has changed."""
    waiting: tuple[Migration, ...] = ()
    """The pending migrations of another phase, oldest first."""
    late: Mapping[int, int] = field(default_factory=dict)
    """The migrations that run although a newer one is applied, by version, and which that is."""
    unfinished: bool = False
    """True if a migration is partially applied, which a run examines even if nothing is pending."""

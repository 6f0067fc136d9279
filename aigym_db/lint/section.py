"""Sections of SQL, and the spots in them that findings refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigym_db.model.migration import Part, Phase
from aigym_db.model.source import Place, Source
from aigym_db.model.sql import Script, Statement

SectionKind = Literal["up", "down", "state", "file"]


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One direction of a migration, one script of the state, or an SQL file."""

    source: Source
    start: int
    end: int
    kind: SectionKind = "file"
    transaction: bool = False
    """The runner executes it in one transaction; otherwise each statement commits, except after BEGIN."""
    batch: int | None = None
    """Sections of one batch reach a database together: a table created in one is not in use in the next."""
    script: Script | None = None
    """The parsed statements, if the text has been parsed before."""
    backfill: bool = False
    """The runner executes its statement in batches and records their progress."""
    phase: Phase | None = None
    """The phase an up is marked with."""

    @classmethod
    def of_part(
        cls,
        part: Part,
        kind: SectionKind,
        *,
        batch: int | None = None,
        phase: Phase | None = None,
    ) -> Section:
        """Return the section of the up or down of a migration; `batch` and `phase` as in the fields."""
        return cls(
            part.source,
            part.start,
            part.end,
            kind,
            part.transaction,
            batch,
            backfill=part.batch_rows is not None,
            phase=phase,
        )

    @classmethod
    def of_script(cls, script: Script, kind: SectionKind, *, batch: int | None = None) -> Section:
        """Return the section of a whole script that has been parsed before."""
        return cls(script.source, 0, len(script.source.text), kind, batch=batch, script=script)

    @property
    def in_migration(self) -> bool:
        """True for the up or down of a migration, false for a template or another file."""
        return self.kind in ("up", "down")


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A position in a statement: the index of a character in the source."""

    section: Section
    statement: Statement
    index: int

    @property
    def place(self) -> Place:
        """The position as file, line and column; for rendered SQL, those of the template."""
        return self.statement.source.place(self.index)

"""A stretch of SQL that is linted as one, and the points in it that findings are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigym_db.model.migration import Part, Phase
from aigym_db.model.source import Place, Source
from aigym_db.model.sql import Script, Statement

Kind = Literal["up", "down", "state", "file"]


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One direction of a migration, one script of the state, or a whole SQL file."""

    source: Source
    start: int
    end: int
    kind: Kind = "file"
    transaction: bool = False
    """The runner puts a transaction around it; otherwise each statement is its own, unless the text says "
    "BEGIN."""
    batch: int | None = None
    """Passages of one batch reach a database together: what one creates is still empty in the next."""
    reported: bool = True
    """False: replayed for what it leaves behind, its statements not judged."""
    script: Script | None = None
    """The statements, where somebody has parsed them already."""
    backfill: bool = False
    """The runner makes its statement in batches, and knows which are done."""
    phase: Phase | None = None
    """What an up is marked as."""

    @classmethod
    def of_part(
        cls,
        part: Part,
        kind: Kind,
        *,
        batch: int | None = None,
        reported: bool = True,
        phase: Phase | None = None,
    ) -> Section:
        """One direction of a migration."""
        return cls(
            part.source,
            part.start,
            part.end,
            kind,
            part.transaction,
            batch,
            reported,
            backfill=part.batch_rows is not None,
            phase=phase,
        )

    @classmethod
    def of_script(cls, script: Script, kind: Kind, *, batch: int | None = None) -> Section:
        """A script that was parsed before."""
        return cls(script.source, 0, len(script.source.text), kind, batch=batch, script=script)

    @property
    def in_migration(self) -> bool:
        return self.kind in ("up", "down")


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A character of a statement of a passage."""

    passage: Section
    statement: Statement
    index: int

    @property
    def place(self) -> Place:
        return self.statement.source.place(self.index)

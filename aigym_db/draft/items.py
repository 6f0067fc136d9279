"""The items of a draft, and the text of both directions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

from aigym_db.draft.texts import Position
from aigym_db.model.source import lines_of


class Phase(IntEnum):
    """The phase of a statement in the down migration. Within a phase the order is the reverse of the up.

    Reverse order alone is not sufficient: dropping a table drops its policies, and a policy may depend on a
    function created after the table.
    """

    RESTORED = 0
    """Objects that the up drops last, such as functions without remaining dependents."""
    CHANGED = 1
    FUNCTIONS_OF_VIEWS = 2
    VIEWS = 3
    FUNCTIONS_OF_TABLES = 4
    TABLES = 5
    FUNCTIONS = 6
    TYPES = 7
    SCHEMAS = 8
    RESTORED_LAST = 9
    """Objects that the up drops first because they depend on all others."""


@dataclass(frozen=True, slots=True)
class Down:
    """One statement of the down migration."""

    phase: Phase
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A group of statements and their inverse."""

    position: Position
    file: str
    """The source template; empty if the object is no longer in any template."""
    up: tuple[str, ...]
    down: tuple[Down, ...]
    transactional: bool = True


def up_text(items: Iterable[Item]) -> str:
    """Return the text of the up migration: the statements below the names of their templates."""
    sections: list[str] = []
    for file, group in groupby((item for item in items if item.up), key=lambda item: item.file):
        sections.append(f"-- {file}" if file else "-- no longer in the templates")
        sections += ["\n".join(_spaced(item.up)) for item in group]
    return "".join(f"{text}\n" for text in lines_of("\n\n".join(sections)))


def down_text(items: Sequence[Item]) -> str:
    """Return the text of the down migration: by phase, and within a phase in the reverse order of the up."""
    downs = [down for item in reversed(items) for down in item.down]
    lines: list[str] = []
    for phase in Phase:
        texts = [down.text for down in downs if down.phase == phase]
        lines += _together(texts) if phase == Phase.TABLES else texts
    return "".join(f"{line}\n" for line in _spaced(lines))


def _together(drops: list[str]) -> list[str]:
    """Merge the table drops into one statement: tables may reference each other."""
    start = "drop table "
    tables = [text.removeprefix(start).removesuffix(";") for text in drops if text.startswith(start)]
    others = [text for text in drops if not text.startswith(start)]
    if len(tables) < 2:
        return drops
    return [f"{start.rstrip()}\n  {f',{chr(10)}  '.join(tables)};", *others]


def _spaced(statements: Iterable[str]) -> Iterator[str]:
    """Yield the statements, separating multi-line statements by empty lines."""
    before = ""
    for statement in statements:
        if before and ("\n" in statement or "\n" in before):
            yield ""
        yield statement
        before = statement

"""The statements of a draft, in order of execution, and the text of both directions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

from aigym_db.model.source import lines_of

LAST = 1_000_000
"""An order after every statement of every template."""


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

    order: tuple[int, int]
    """Number of the template, and of the statement within it."""
    file: str
    """The source template; empty if the object is no longer in any template."""
    up: tuple[str, ...]
    down: tuple[Down, ...]
    alone: bool = False
    """True if the statement is non-transactional."""


def up_text(items: list[Item]) -> str:
    """The statements below the names of the templates they come from."""
    sections: list[str] = []
    for file, group in groupby((item for item in items if item.up), key=lambda item: item.file):
        sections.append(f"-- {file}" if file else "-- no longer in the templates")
        sections += ["\n".join(_spaced(item.up)) for item in group]
    return "".join(f"{text}\n" for text in lines_of("\n\n".join(sections)))


def down_text(items: list[Item]) -> str:
    """Return the text of the down migration, phase by phase."""
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

"""What a draft is put together from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

LAST = 1_000_000
"""An order after every statement of every template."""


class Phase(IntEnum):
    """When a statement of the down runs. Inside a phase the order is the reverse of the up.

    The reverse alone would not do: a table goes with its policies, and those may call functions made after
    the table.
    """

    RESTORED = 0
    """Functions that the up has dropped last, for nothing of the old needed them any more."""
    CHANGED = 1
    FUNCTIONS_OF_VIEWS = 2
    VIEWS = 3
    FUNCTIONS_OF_TABLES = 4
    TABLES = 5
    FUNCTIONS = 6
    TYPES = 7
    SCHEMAS = 8
    RESTORED_LAST = 9
    """What the up has dropped first, for it needs all the others."""


@dataclass(frozen=True, slots=True)
class Down:
    """A statement that undoes something."""

    phase: Phase
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A few statements that belong together, and what undoes them."""

    order: tuple[int, int]
    """Number of the template and of the statement in it."""
    file: str
    """The template it comes from; empty for what is in none any more."""
    up: tuple[str, ...]
    down: tuple[Down, ...]
    alone: bool = False
    """Whether it has to run outside a transaction."""


def up_text(items: list[Item]) -> str:
    """The statements below the names of the templates they come from."""
    said: list[str] = []
    for file, group in groupby((item for item in items if item.up), key=lambda item: item.file):
        said.append(f"-- {file}" if file else "-- no longer in the templates")
        said += ["\n".join(_spaced(item.up)) for item in group]
    return "".join(f"{text}\n" for text in "\n\n".join(said).splitlines())


def down_text(items: list[Item]) -> str:
    """What undoes the items, phase by phase."""
    downs = [down for item in reversed(items) for down in item.down]
    lines: list[str] = []
    for phase in Phase:
        texts = [down.text for down in downs if down.phase == phase]
        lines += _together(texts) if phase == Phase.TABLES else texts
    return "".join(f"{line}\n" for line in _spaced(lines))


def _together(drops: list[str]) -> list[str]:
    """Tables in one statement, for they may refer to each other."""
    start = "drop table "
    tables = [text.removeprefix(start).removesuffix(";") for text in drops if text.startswith(start)]
    others = [text for text in drops if not text.startswith(start)]
    if len(tables) < 2:
        return drops
    return [f"{start.rstrip()}\n  {f',{chr(10)}  '.join(tables)};", *others]


def _spaced(statements: Iterable[str]) -> Iterator[str]:
    """Statements of one line below each other, longer ones with an empty line around."""
    before = ""
    for statement in statements:
        if before and ("\n" in statement or "\n" in before):
            yield ""
        yield statement
        before = statement

"""The file of a check: its title, keys, breaking changes, page and query."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aigym_db.errors import BadMigration
from aigym_db.model.source import Source


@dataclass(frozen=True, slots=True)
class BreakingChange:
    """A change after which the check reports a finding; the tests execute each."""

    change: str
    """A statement for the database, or what the tests of the feature accept, e.g. `edit FILE: OLD -> NEW`."""
    finding: str
    """A part of the message."""


@dataclass(frozen=True, slots=True)
class CheckFile:
    """A query with the comment at its beginning."""

    keys: Mapping[str, str]
    """The values of its keys, e.g. `code`, without `breaks` and `finding`."""
    page: str
    """The title and the text below the keys."""
    breaking: tuple[BreakingChange, ...]
    sql: str
    """The query without the comment."""


def check_file(path: Path, *, required: Collection[str], optional: Collection[str] = ()) -> CheckFile:
    """Return the contents of a check's file.

    It begins with its title, the keys, pairs of `breaks` and `finding`, and the page. Raise BadMigration if
    one of them or a required key is missing, or if a key is unknown.
    """
    sql = path.read_text(encoding="utf-8")
    head = _HEAD.match(sql)
    keys = dict(re.findall(r"-- (\w+): (.*)\n", without_pairs(head["keys"]))) if head else {}
    breaking = breaking_changes(head["keys"]) if head else ()
    if head is None or not {*required} <= keys.keys() <= {*required, *optional} or not breaking:
        names = ", ".join(required)
        raise BadMigration(
            f"{path.name} is not a check: its title, keys ({names}), breaking statement or page is missing.",
            place=Source(path.name, sql).place(0),
            hint="Begin it like the other checks in its folder.",
        )
    page = "\n".join([head["title"], "", *(line[3:] for line in head["text"].splitlines())])
    return CheckFile(keys, page, breaking, sql[head.end() :])


def breaking_changes(text: str) -> tuple[BreakingChange, ...]:
    """Return the pairs `breaks: …`, `finding: …` of a text; indented lines continue a change."""
    return tuple(
        BreakingChange(re.sub(r"\n(?:-- )? {4}", "\n", change), finding)
        for change, finding in _PAIR.findall(text)
    )


def without_pairs(text: str) -> str:
    """Return a text without its pairs `breaks: …`, `finding: …`."""
    return _PAIR.sub("", text)


_PAIR = re.compile(
    r"^(?:-- )?breaks: (.+(?:\n(?:-- )? {4}.+)*)\n(?:-- )?finding: (.+)$\n?",
    re.MULTILINE,
)
_HEAD = re.compile(
    r"-- (?P<title>[^\n]+)\n(?P<keys>(?:-- \w+: [^\n]*\n(?:-- {5}[^\n]*\n)*)+)(?P<text>(?:--[^\n]*\n)*)"
)

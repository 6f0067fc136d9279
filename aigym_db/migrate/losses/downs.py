"""What the statements of some downs destroy, and under which settings they will run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aigym_db.migrate.losses.destroying import Destruction, destructions, may_destroy
from aigym_db.migrate.losses.renames import Renames
from aigym_db.migrate.preflight import Step, steps
from aigym_db.model.migration import Part


@dataclass(frozen=True, slots=True)
class Found:
    """A destruction, and the statement that it stands in."""

    does: Destruction
    step: Step


@dataclass(frozen=True, slots=True)
class Setting:
    """What decides which objects the names of a statement mean, and what may be counted."""

    role: str | None
    path: str | None
    """The statement with which the file sets the search_path."""


def by_setting(parts: Iterable[Part], owner: str | None) -> Iterator[tuple[Setting, list[Found]]]:
    """The destructions in these parts, in order; those together that are asked for in the same way.

    `owner` is the role that parts act as which do not name one.
    """
    from pglast import parse_sql

    renames = Renames()
    last: Setting | None = None
    found: list[Found] = []
    for part in parts:
        role = part.role or owner
        setting = Setting(None if role == "none" else role, None)
        for step in steps(part):
            if _sets_path(step.text):
                setting = Setting(setting.role, step.text)
            if not may_destroy(step.text):
                continue
            if setting != last and found:
                assert last is not None
                yield last, found
                found = []
            last = setting
            tree = parse_sql(step.text)[0].stmt
            renames.learn(tree)
            found += [Found(one, step) for one in destructions(tree, renames)]
    if found and last is not None:
        yield last, found


def _sets_path(text: str) -> bool:
    words = text.lower().replace("=", " ").split(None, 3)
    return words[:1] == ["set"] and "search_path" in words[1:3]

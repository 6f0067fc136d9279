"""A check of `verify`, and how a module or a query becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from aigym_db.discovery import instances
from aigym_db.model.finding import Finding, Level
from aigym_db.model.source import Place
from aigym_db.syntax.check_file import BreakingChange, breaking_changes, check_file, without_pairs
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.locate import place_of_name

Needs = Literal["files", "history", "state", "database", "live"]
"""What a check requires: `files` nothing else; `history` migrations; `state` templates as well; `database` a
database with the project's objects, built from the migrations if none is given; `live` a given database."""


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """A problem that a check reports; `Check.finding` adds the name and code of the check."""

    message: str
    place: Place | None = None
    hint: str = ""
    level: Level | None = None
    """Overrides the level of the check."""


Run = Callable[[VerifyContext], Iterator[CheckFailure]]


@dataclass(frozen=True, slots=True)
class Check:
    """A property that `verify` checks."""

    code: str
    """Stable, e.g. `HIST01`."""
    name: str
    needs: Needs
    level: Level
    run: Run
    text: str
    """Its page: what it reports, why, and what to do."""
    group: str
    """The folder in `verify/checks/` that contains it."""
    breaking: tuple[BreakingChange, ...]

    def finding(self, failure: CheckFailure) -> Finding:
        """Return a failure as a finding with the name, code and level of this check."""
        level = failure.level or self.level
        return Finding(self.name, self.code, level, failure.message, failure.place, failure.hint)


def check(code: str, name: str, *, needs: Needs, level: Level = "error") -> Callable[[Run], Check]:
    """Return a decorator that turns a function into a Check.

    The function yields a failure for each problem. The docstring of its module is the page of the check; it
    ends with pairs of lines `breaks: …`, `finding: …`, one for each `BreakingChange`.
    """

    def register(run: Run) -> Check:
        module = run.__globals__
        page = module["__doc__"] or ""
        group = module["__name__"].split(".")[-2]
        return Check(code, name, needs, level, run, without_pairs(page), group, breaking_changes(page))

    return register


def query_check(path: Path) -> Check:
    """Return the check of a query; each of its rows is a problem: `object` (its catalog name) and `message`.

    The file begins with its title, the keys `code`, `level`, `hint`, pairs of `breaks` and `finding`, and
    the page. Raise BadMigration if one of them is missing.
    """
    file = check_file(path, required={"code", "level", "hint"})
    keys = file.keys

    def run(context: VerifyContext) -> Iterator[CheckFailure]:
        for name, message in context.rows(file.sql):
            yield CheckFailure(message, place_of_name(context, name), keys["hint"])

    level: Level = (
        "error" if keys["level"] == "error" else "warning" if keys["level"] == "warning" else "note"
    )
    name, group = path.stem.replace("_", "-"), path.parent.name
    return Check(keys["code"], name, "database", level, run, file.page, group, file.breaking)


@cache
def checks() -> tuple[Check, ...]:
    """Return every check in `verify/checks/`, sorted by code."""
    queries = [query_check(path) for path in (Path(__file__).parent / "checks").rglob("*.sql")]
    return tuple(
        sorted([*queries, *instances("aigym_db.verify.checks", Check)], key=lambda check: check.code)
    )


def page(check: Check) -> str:
    """Return the page that `explain` prints: code, name, level, and text."""
    return f"{check.code} {check.name} ({check.level})\n\n{check.text.strip()}\n"

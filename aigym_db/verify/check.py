"""What a check of `verify` is, and how a module or a query becomes one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aigym_db.errors import BadMigration
from aigym_db.model.finding import Finding, Level
from aigym_db.model.source import Place, Source
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.locate import where

Needs = Literal["files", "history", "state", "database", "live"]
"""What there has to be: nothing but files; migrations; templates, too; a database with the project's objects,
made from the migrations if none is given; a database that somebody uses."""


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """Something that is wrong; the check it belongs to is added by whoever runs it."""

    message: str
    place: Place | None = None
    help: str = ""
    level: Level | None = None
    """Where it differs from the level of the check."""


Run = Callable[[VerifyContext], Iterator[CheckFailure]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must stay true."""

    code: str
    """Never changes, e.g. `HIST01`."""
    name: str
    needs: Needs
    level: Level
    run: Run
    text: str
    """Its page: what it looks for, why, and what to do."""
    group: str
    """The folder it stands in."""

    def finding(self, found: CheckFailure) -> Finding:
        """What it found, as everybody reads it."""
        return Finding(
            self.name, self.code, found.level or self.level, found.message, found.place, found.help
        )


def check(code: str, name: str, *, needs: Needs, level: Level = "error") -> Callable[[Run], Check]:
    """Makes a function a check; the docstring of its module is its page."""

    def register(run: Run) -> Check:
        module = run.__globals__
        return Check(
            code, name, needs, level, run, module["__doc__"] or "", module["__name__"].split(".")[-2]
        )

    return register


_HEAD = re.compile(r"-- (?P<question>[^\n]+)\n(?P<keys>(?:-- \w+: [^\n]*\n)+)(?P<text>(?:--[^\n]*\n)*)")


def query_check(path: Path) -> Check:
    """A check whose rows say what is wrong: `object` (as a catalog calls it) and `message`.

    The file begins with the question it answers, then `code`, `level` and `help`, then its page.
    """
    text = path.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    keys = dict(re.findall(r"-- (\w+): (.*)\n", head["keys"])) if head else {}
    if head is None or keys.keys() != {"code", "level", "help"}:
        raise BadMigration(
            f"{path.name} is not a check: it lacks its question, code, level, help or page.",
            place=Source(path.name, text).place(0),
            hint="Begin it like the other checks in its folder.",
        )

    def run(context: VerifyContext) -> Iterator[CheckFailure]:
        for thing, message in context.rows(text):
            yield CheckFailure(message, where(context, thing), keys["help"])

    page = "\n".join([head["question"], "", *(line[3:] for line in head["text"].splitlines())])
    level: Level = (
        "error" if keys["level"] == "error" else "warning" if keys["level"] == "warning" else "note"
    )
    return Check(keys["code"], path.stem.replace("_", "-"), "database", level, run, page, path.parent.name)

"""The one statement of a backfill, and what is made of it: a change of some pages, a question for the rest.

Both are pieces of the file between words of ours. Each piece knows where it stands in the file, so the
server's errors get the place that a person edits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigym_db.errors import ForbiddenStatement
from aigym_db.migrate.step import Step
from aigym_db.model.source import Place, Source, Span
from aigym_db.project.backfills import HOW, objection
from aigym_db.syntax.quote import quoted

if TYPE_CHECKING:
    from pglast.parser import Token

    from aigym_db.model.migration import Migration, Part

_COMMENTS = {"C_COMMENT", "SQL_COMMENT"}
_OPEN, _CLOSE = {"ASCII_40", "ASCII_91"}, {"ASCII_41", "ASCII_93"}


@dataclass(frozen=True, slots=True)
class Change:
    """An UPDATE or DELETE of one table."""

    step: Step
    table: str
    """Its name as SQL."""
    alias: str | None
    """What its rows are called, as SQL, when that is not the table's name."""
    only: bool
    """Whether it leaves out the tables that inherit from this one."""
    deletes: bool
    _with: int
    """How many characters of the statement are its WITH clause."""
    _others: tuple[int, int] | None
    """Where the tables of FROM or USING stand in it."""
    _condition: tuple[int, int]

    def batch(self, first: int, until: int) -> Step:
        """The statement for the pages from `first` on and before `until`.

        Its result is how many rows it changed, and for how many of those the condition still holds.
        """
        row = self.alias or self.table
        woven = _Woven(self.step)
        woven.ours("with changed as (\n")
        woven.theirs(0, self._condition[0])
        woven.ours(f"{row}.ctid >= '({first},0)' and {row}.ctid < '({until},0)' and (\n")
        woven.theirs(*self._condition)
        woven.ours("\n)\nreturning ")
        if self.deletes:
            woven.ours("false as again")
        else:
            woven.ours("(\n")
            woven.theirs(*self._condition)
            woven.ours("\n) is true as again")
        woven.ours("\n)\nselect count(*), count(*) filter (where again) from changed")
        return woven.step()

    def left(self) -> Step:
        """The question whether there is any row of which the condition is true."""
        woven = _Woven(self.step)
        woven.theirs(0, self._with)
        name = f"{'only ' if self.only else ''}{self.table}{f' as {self.alias}' if self.alias else ''}"
        woven.ours(f"select exists (select from {name}")
        if self._others:
            woven.ours(", ")
            woven.theirs(*self._others)
        woven.ours(" where (\n")
        woven.theirs(*self._condition)
        woven.ours("\n))")
        return woven.step()

    def place_of_condition(self) -> Place:
        """Where the condition begins in the file."""
        return self.step.place(self._condition[0])


class _Woven:
    """A text of ours with pieces of a statement of the file in it."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._text = ""
        self._spans: list[Span] = []
        self._offset = step.start

    def ours(self, text: str) -> None:
        """Adds text that stands in no file."""
        self._spans.append(Span(len(self._text), self._step.source.file, self._offset, width=0))
        self._text += text

    def theirs(self, start: int, end: int) -> None:
        """Adds a piece of the statement."""
        self._offset = self._step.start + start
        self._spans.append(Span(len(self._text), self._step.source.file, self._offset, width=end - start))
        self._text += self._step.text[start:end]
        self._offset += end - start

    def step(self) -> Step:
        """The whole, as a statement that can be sent."""
        file = self._step.source
        return Step(
            Source(file.file, self._text, tuple(self._spans), {file.file: file.text}), 0, len(self._text)
        )


def read(migration: Migration, part: Part, steps: Sequence[Step]) -> Change:
    """The statement of a part that says `batch:`.

    Raises ForbiddenStatement (AIG-P010) when it is not one that can be made in batches.
    """
    from pglast.parser import parse_sql

    if len(steps) != 1:
        raise ForbiddenStatement(
            f"A backfill is one statement, and this part of {migration.label} holds {len(steps) or 'none'}.",
            place=steps[1].place() if steps else part.source.place(part.start),
            hint="Put the others into migrations of their own." if steps else HOW,
        )
    step = steps[0]
    tree: Any = parse_sql(step.text)[0].stmt
    refused = objection(tree)
    if refused is not None:
        place = step.place(0 if refused.node is None else refused.node.location)
        raise ForbiddenStatement(refused.message, place=place, hint=refused.hint)
    words = _Words(step, tree.relation.location)
    relation = tree.relation
    named = (relation.catalogname, relation.schemaname, relation.relname)
    return Change(
        step,
        quoted(*named),
        quoted(relation.alias.aliasname) if relation.alias else None,
        not relation.inh,
        type(tree).__name__ == "DeleteStmt",
        words.verb if tree.withClause else 0,
        words.others,
        words.condition,
    )


class _Words:
    """Where the parts of an UPDATE or DELETE stand in its text."""

    def __init__(self, step: Step, relation: int) -> None:
        outer = list(_outer(step.text))
        before = [token for token in outer if token.start < relation]
        behind = [token for token in outer if token.start >= relation]
        # Not the first: a WITH query may be named `update`.
        self.verb = next(token.start for token in reversed(before) if token.name in ("UPDATE", "DELETE_P"))
        where = _first(behind, {"WHERE"})
        assert where is not None
        self.condition = behind[where + 1].start, outer[-1].end + 1
        # FROM of an UPDATE, USING of a DELETE; not the FROM of `is distinct from`.
        others = _first(behind[:where], {"FROM", "USING"})
        self.others = None
        if others is not None:
            self.others = (behind[others + 1].start, behind[where - 1].end + 1)


def _outer(text: str) -> Sequence[Token]:
    """The tokens of a statement that stand in no parentheses, and the parentheses; no comments."""
    from pglast.parser import scan

    found, depth = [], 0
    for token in scan(text):
        depth -= token.name in _CLOSE
        if depth == 0 and token.name not in _COMMENTS:
            found.append(token)
        depth += token.name in _OPEN
    return found


def _first(tokens: Sequence[Token], names: set[str]) -> int | None:
    for number, token in enumerate(tokens):
        if token.name in names and (number == 0 or tokens[number - 1].name != "DISTINCT"):
            return number
    return None

"""The statement of a backfill: rewritten to change a range of pages, and as a query for remaining rows.

Both consist of pieces of the file between generated text. A map from pieces to offsets of the file gives the
server's errors their place in the file.
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
    """Its quoted, qualified name."""
    alias: str | None
    """Its quoted alias; None if there is none."""
    only: bool
    """True with ONLY: child tables are not changed."""
    deletes: bool
    _with: int
    """Length of the WITH clause, in characters; 0 if there is none."""
    _others: tuple[int, int] | None
    """Start and end of the tables of FROM or USING in the statement; None if there are none."""
    _condition: tuple[int, int]
    """Start and end of the condition in the statement."""

    def batch(self, first: int, until: int) -> Step:
        """Return the statement for the pages from `first` to before `until`.

        Its result is one row: the number of changed rows, and of those that still match the condition.
        """
        row = self.alias or self.table
        builder = _StatementBuilder(self.step)
        builder.add_generated("with changed as (\n")
        builder.add_from_file(0, self._condition[0])
        builder.add_generated(f"{row}.ctid >= '({first},0)' and {row}.ctid < '({until},0)' and (\n")
        builder.add_from_file(*self._condition)
        builder.add_generated("\n)\nreturning ")
        if self.deletes:
            builder.add_generated("false as again")
        else:
            builder.add_generated("(\n")
            builder.add_from_file(*self._condition)
            builder.add_generated("\n) is true as again")
        builder.add_generated("\n)\nselect count(*), count(*) filter (where again) from changed")
        return builder.step()

    def remaining(self) -> Step:
        """Return the query for the number of rows that match the condition."""
        builder = _StatementBuilder(self.step)
        builder.add_from_file(0, self._with)
        name = f"{'only ' if self.only else ''}{self.table}{f' as {self.alias}' if self.alias else ''}"
        row = self.alias or self.table
        # A row may match several rows of the other tables.
        count = f"count(distinct ({row}.tableoid, {row}.ctid))" if self._others else "count(*)"
        builder.add_generated(f"select {count} from {name}")
        if self._others:
            builder.add_generated(", ")
            builder.add_from_file(*self._others)
        builder.add_generated(" where (\n")
        builder.add_from_file(*self._condition)
        builder.add_generated("\n)")
        return builder.step()

    def place_of_condition(self) -> Place:
        """Return the place of the condition in the file."""
        return self.step.place(self._condition[0])


class _StatementBuilder:
    """Builds a statement from generated text and pieces of a statement of the file."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._text = ""
        self._spans: list[Span] = []
        self._offset = step.start

    def add_generated(self, text: str) -> None:
        """Append text that is not in the file; its place is the end of the last piece."""
        self._spans.append(Span(len(self._text), self._step.source.file, self._offset, width=0))
        self._text += text

    def add_from_file(self, start: int, end: int) -> None:
        """Append a piece of the statement."""
        self._offset = self._step.start + start
        self._spans.append(Span(len(self._text), self._step.source.file, self._offset, width=end - start))
        self._text += self._step.text[start:end]
        self._offset += end - start

    def step(self) -> Step:
        """Return the complete statement."""
        file = self._step.source
        return Step(
            Source(file.file, self._text, tuple(self._spans), {file.file: file.text}), 0, len(self._text)
        )


def read(migration: Migration, part: Part, steps: Sequence[Step]) -> Change:
    """Return the statement of a part with the option `batch`.

    Raise ForbiddenStatement (AIG-P010) if the part is not one UPDATE or DELETE that can run in batches.
    """
    from pglast.parser import parse_sql

    if len(steps) != 1:
        raise ForbiddenStatement(
            f"A backfill is one statement; this part of {migration.label} contains {len(steps) or 'none'}.",
            place=steps[1].place() if steps else part.source.place(part.start),
            hint="Move the other statements to separate migrations." if steps else HOW,
        )
    step = steps[0]
    tree: Any = parse_sql(step.text)[0].stmt
    reason = objection(tree)
    if reason is not None:
        place = step.place(0 if reason.node is None else reason.node.location)
        raise ForbiddenStatement(reason.message, place=place, hint=reason.hint)
    clauses = _Clauses(step, tree.relation.location)
    relation = tree.relation
    named = (relation.catalogname, relation.schemaname, relation.relname)
    return Change(
        step,
        quoted(*named),
        quoted(relation.alias.aliasname) if relation.alias else None,
        not relation.inh,
        type(tree).__name__ == "DeleteStmt",
        clauses.command if tree.withClause else 0,
        clauses.others,
        clauses.condition,
    )


class _Clauses:
    """The offsets of the clauses of an UPDATE or DELETE in its text."""

    def __init__(self, step: Step, relation: int) -> None:
        outer = list(_outer(step.text))
        before = [token for token in outer if token.start < relation]
        after = [token for token in outer if token.start >= relation]
        # The last one before the table: a WITH query may be named `update`.
        self.command = next(token.start for token in reversed(before) if token.name in ("UPDATE", "DELETE_P"))
        where = _first(after, {"WHERE"})
        assert where is not None
        self.condition = after[where + 1].start, outer[-1].end + 1
        # FROM of an UPDATE, USING of a DELETE; `_first` skips the FROM of IS DISTINCT FROM.
        others = _first(after[:where], {"FROM", "USING"})
        self.others = None
        if others is not None:
            self.others = (after[others + 1].start, after[where - 1].end + 1)


def _outer(text: str) -> Sequence[Token]:
    """Return the tokens of a statement outside parentheses, with the outer parentheses, without comments."""
    from pglast.parser import scan

    tokens, depth = [], 0
    for token in scan(text):
        depth -= token.name in _CLOSE
        if depth == 0 and token.name not in _COMMENTS:
            tokens.append(token)
        depth += token.name in _OPEN
    return tokens


def _first(tokens: Sequence[Token], names: set[str]) -> int | None:
    for number, token in enumerate(tokens):
        if token.name in names and (number == 0 or tokens[number - 1].name != "DISTINCT"):
            return number
    return None

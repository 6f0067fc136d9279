"""Convert the results of statements to outcomes of cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aigym_db.access.attempts import AttemptStatement, RejectedAttempt
from aigym_db.access.fixture import Fixture
from aigym_db.access.matrix import AccessMatrix
from aigym_db.model.access import Attempt, Cell, Command, Outcome, Rejection, Way


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What the server said to a statement."""

    statement: AttemptStatement
    actual: frozenset[str] | None
    """None if an error other than a missing privilege, a policy or a constraint was raised."""
    state: str | None
    message: str


def collect_outcomes(
    matrix: AccessMatrix,
    fixtures: Mapping[str, Fixture],
    rejected: Iterable[RejectedAttempt],
    replies: Iterable[AttemptResult],
) -> tuple[Outcome, ...]:
    """Group the results by cell and way, including cells that the grants alone reject."""
    known: dict[tuple[str, str, Command], dict[Way, Attempt]] = {}

    def add(cell: Cell, attempt: Attempt) -> None:
        ways = known.setdefault((cell.table, cell.actor, cell.command), {})
        before = ways.get(attempt.way)
        ways[attempt.way] = attempt if before is None else _both(before, attempt)

    for no in rejected:
        kind: Rejection | None = None if no.error else "grant"
        add(no.cell, Attempt(no.way, frozenset(no.expected), frozenset(), kind, no.error))
    for reply in replies:
        add(reply.statement.cell, to_attempt(reply))
    found = []
    for name, fixture_ in fixtures.items():
        labels = {row.key: row.label for row in fixture_.rows}
        for cell in matrix.tables[name].cells.values():
            ways = known.get((cell.table, cell.actor, cell.command), {})
            found.append(Outcome(cell, tuple(ways.values()), labels))
    return tuple(found)


def to_attempt(reply: AttemptResult) -> Attempt:
    """Convert a result to an attempt."""
    expected = frozenset(reply.statement.expected)
    if reply.actual is None:
        return Attempt(
            reply.statement.way, expected, frozenset(), None, f"{reply.message} (SQLSTATE {reply.state})"
        )
    return Attempt(reply.statement.way, expected, reply.actual, _rejection(reply))


def _rejection(reply: AttemptResult) -> Rejection | None:
    if reply.state is None:
        return None
    if reply.state.startswith("23"):
        return "constraint"
    return "grant" if reply.message.startswith("permission denied") else "policy"


def _both(left: Attempt, right: Attempt) -> Attempt:
    return Attempt(
        left.way,
        left.expected | right.expected,
        left.actual | right.actual,
        left.rejected_by or right.rejected_by,
        left.error or right.error,
    )

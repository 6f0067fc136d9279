"""Convert the results of statements to outcomes of cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aigym_db.access.attempts import AttemptStatement, RejectedAttempt
from aigym_db.access.fixture import Fixture
from aigym_db.model.access import Attempt, Cell, Command, Outcome, Rejection, Way


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of a statement on the server."""

    statement: AttemptStatement
    actual: frozenset[str] | None
    """None if an error other than a missing privilege, a policy or a constraint was raised."""
    affected: int | None
    """The number of rows written; None if the statement failed or reads only."""
    state: str | None
    message: str


def collect_outcomes(
    cells: Iterable[Cell],
    fixtures: Mapping[str, Fixture],
    rejected: Iterable[RejectedAttempt],
    results: Iterable[AttemptResult],
) -> tuple[Outcome, ...]:
    """Return the outcome of each cell from the results of its attempts; `fixtures` contains their tables.

    Results of one cell and way (an INSERT for each row) are merged.
    """
    attempts: dict[tuple[str, str, Command], dict[Way, Attempt]] = {}

    def add(cell: Cell, new: Attempt) -> None:
        ways = attempts.setdefault((cell.table, cell.actor, cell.command), {})
        before = ways.get(new.way)
        ways[new.way] = new if before is None else _merge(before, new)

    for attempt in rejected:
        kind: Rejection | None = None if attempt.error else "grant"
        add(attempt.cell, Attempt(attempt.way, frozenset(attempt.expected), frozenset(), kind, attempt.error))
    for result in results:
        add(result.statement.cell, to_attempt(result))
    labels = {name: {row.key: row.label for row in fixture.rows} for name, fixture in fixtures.items()}
    return tuple(
        Outcome(
            cell, tuple(attempts.get((cell.table, cell.actor, cell.command), {}).values()), labels[cell.table]
        )
        for cell in cells
    )


def to_attempt(result: AttemptResult) -> Attempt:
    """Return the attempt: expected and actual keys, and what rejected it or which error was raised."""
    expected = frozenset(result.statement.expected)
    if result.actual is None:
        return Attempt(
            result.statement.way, expected, frozenset(), None, f"{result.message} (SQLSTATE {result.state})"
        )
    return Attempt(result.statement.way, expected, result.actual, _rejection(result))


def _rejection(result: AttemptResult) -> Rejection | None:
    if result.state is None:
        return None
    if result.state.startswith("23"):
        return "constraint"
    return "grant" if result.message.startswith("permission denied") else "policy"


def _merge(left: Attempt, right: Attempt) -> Attempt:
    return Attempt(
        left.way,
        left.expected | right.expected,
        left.actual | right.actual,
        left.rejected_by or right.rejected_by,
        left.error or right.error,
    )

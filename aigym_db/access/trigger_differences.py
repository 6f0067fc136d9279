"""Cells whose actual rows differ only with triggers and foreign keys enabled.

Cells are tested twice. Without triggers, the result shows the policies alone; with them, a trigger may change
further rows, or fail because of a missing privilege. Only statements whose result a trigger can change are
repeated: a statement that failed fires BEFORE triggers only, and one that affected no row fires
statement-level triggers only. On the reference database 26,379 of 28,681 statements are on tables with a
trigger for their command; 9,620 are repeated.

Foreign keys are triggers, too, and are not distinguished: their actions (CASCADE, SET NULL) may change other
rows of the same table. Without the foreign keys that only check, 1 % fewer would be repeated; for so little
it does not pay to verify that the owners of the tables have the privileges that a check requires.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aigym_db.access.findings import describe
from aigym_db.access.outcomes import AttemptResult, to_attempt
from aigym_db.access.tables import Table
from aigym_db.access.trial import Trial
from aigym_db.model.access import Attempt, Outcome
from aigym_db.model.finding import Finding


def trigger_differences(
    trial: Trial, results: Iterable[AttemptResult], outcomes: Iterable[Outcome]
) -> Iterator[Finding]:
    """Yield one finding (ACC06) per cell that matches in `outcomes` and differs with triggers enabled.

    `results` are those of `trial.run()`, from which the outcomes are. An error raised by a constraint is no
    difference; a missing privilege of a trigger function is. Each connection must be to its own clone.
    """
    matching = {outcome.cell for outcome in outcomes if outcome.ok}
    statements = [
        result.statement
        for result in results
        if result.statement.cell in matching and may_differ(result, trial.tables[result.statement.cell.table])
    ]
    for result in trial.run(statements, triggers=True):
        cell = result.statement.cell
        message = _difference(result, to_attempt(result))
        if message and cell in matching:
            matching.remove(cell)
            yield Finding(
                "access-differs-with-triggers",
                "ACC06",
                "error",
                message,
                cell.place,
                "Restrict the rows that the trigger changes, or make its function SECURITY DEFINER.",
            )


def may_differ(result: AttemptResult, table: Table) -> bool:
    """Return True if triggers can change the result of a statement executed without them."""
    command = result.statement.cell.command
    if result.state is not None:
        firing = table.triggers.before
    elif result.affected == 0:
        firing = table.triggers.per_statement
    else:
        firing = table.triggers.any
    if command not in ("update", "reassign"):
        return command in firing
    # An UPDATE that moves a row to another partition fires the triggers for DELETE and INSERT.
    return bool(firing) if table.partitioned else "update" in firing


def _difference(result: AttemptResult, attempt: Attempt) -> str:
    """Return the message about a difference; empty if triggers and foreign keys change nothing."""
    if (result.state or "").startswith("23"):
        return ""
    if attempt.error or (attempt.rejected_by == "grant" and attempt.expected):
        return f"{result.statement.cell}: with triggers, {attempt.error or result.message}."
    if attempt.rejected_by is None and attempt.actual - attempt.expected:
        return describe(Outcome(result.statement.cell, (attempt,)), attempt)
    return ""

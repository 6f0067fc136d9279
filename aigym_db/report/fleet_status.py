"""The status of a fleet as a table and as JSON."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from aigym_db.migrate.fleet.status import TargetStatus
from aigym_db.model.wording import counted
from aigym_db.report import console
from aigym_db.report.fleet import merged_errors
from aigym_db.report.result import Report

if TYPE_CHECKING:
    from aigym_db.report.documents import StatusResults


def report_fleet_status(
    report: Report, statuses: tuple[TargetStatus, ...], frozen_versions: Collection[int]
) -> None:
    """Report a table of all targets, the interrupted migrations, and each error once.

    `frozen_versions` are the versions in the lock file; pending migrations of other versions are drafts. The
    errors in `report` determine the exit status.
    """
    report.add_results(lambda: _results(statuses, frozen_versions))
    for row in console.columns(
        [("target", "at", "pending", "error"), *(_row(each, frozen_versions) for each in statuses)]
    ):
        report.print_line(row)
    report.print_line()
    for each in statuses:
        for migration in (each.status and each.status.unfinished) or ():
            report.print_line(f"{console.printable(each.target.name)}: {migration.label} is {migration}.")
    for error in merged_errors(statuses):
        report.add_error(error)
    states = [_state(each) for each in statuses]
    counts = {state: states.count(state) for state in _STATES}
    report.print_line(", ".join(f"{count} {state}" for state, count in counts.items() if count) + ".")


_STATES = ("up to date", "nothing pending", "behind", "interrupted", "unknown")
"""`nothing pending`: the role has no permission to read the journal, so a migration may be interrupted."""


def _state(target: TargetStatus) -> str:
    if target.status is None:
        return "unknown"
    if target.status.unfinished:
        return "interrupted"
    if target.status.pending:
        return "behind"
    return "nothing pending" if target.status.unfinished is None else "up to date"


def _row(target: TargetStatus, frozen_versions: Collection[int]) -> tuple[str, ...]:
    name, status = console.printable(target.target.name), target.status
    if status is None:
        return name, "", "", target.error.code if target.error else ""
    newest = max((row.version for row in status.applied), default=0)
    drafts = sum(file.version not in frozen_versions for file in status.pending)
    pending = str(len(status.pending) or "") + (f" ({counted(drafts, 'draft')})" if drafts else "")
    return name, f"{newest:04d}", pending, ""


def _results(statuses: tuple[TargetStatus, ...], frozen_versions: Collection[int]) -> StatusResults:
    from aigym_db.report import entries
    from aigym_db.report.documents import StatusResults, StatusTarget

    def target(each: TargetStatus) -> StatusTarget:
        status = each.status
        return StatusTarget(
            **entries.target(each.target, _state(each), each.error),
            version=max((row.version for row in status.applied), default=None) if status else None,
            pending=entries.pending(status.pending, frozen_versions) if status else None,
            unfinished=entries.unfinished(status.unfinished) if status else None,
        )

    return StatusResults(targets=[target(each) for each in statuses])

"""The commands as functions of a project, for Python programs: `import aigym_db` offers them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from aigym_db.health.examine import Health
    from aigym_db.migrate.observer import Finished, Observer
    from aigym_db.migrate.options import Options
    from aigym_db.migrate.status import Status
    from aigym_db.model.access import CallOutcome, Outcome
    from aigym_db.model.finding import Finding, Level
    from aigym_db.model.migration import Plan
    from aigym_db.partitions.apply import PartitionOptions
    from aigym_db.partitions.execution import PartitionObserver
    from aigym_db.partitions.plan import PartitionPlan
    from aigym_db.project.config import Project

    ProjectOrFolder = Project | Path | str

LEVELS: dict[str, Level | None] = {"error": "error", "warning": "warning", "note": "note", "off": None}
"""The level of a finding for each value of the setting `lint`."""


def migrate(
    dsn: str,
    project: ProjectOrFolder,
    *,
    to: int | None = None,
    plan: Plan | None = None,
    options: Options | None = None,
    observer: Observer | None = None,
) -> tuple[Finished, ...]:
    """Apply the pending migrations of a project, up to version `to`; return them, oldest first.

    `dsn` is a connection string or URI, `project` a project or its folder. This holds for all functions.
    Each migration is committed together with its ledger row, and is applied exactly once however many
    programs call this at the same time. `plan` runs exactly what `aigym_db.plan` returned, or raises
    LedgerChanged (AIG-T006). `options` is `Options.of(project)` by default: the settings of the project and
    its lock file.

    Raise UnfrozenMigration (AIG-G001) for a draft, LockTimeout (AIG-S004) if a lock was not granted in time,
    StatementFailed (AIG-S002) with PostgreSQL's message, and every other error of `aigym-db migrate`.
    """
    from aigym_db.database.dsn import require_dsn
    from aigym_db.migrate.apply import migrate as apply_migrations
    from aigym_db.migrate.options import Options
    from aigym_db.project.config import find
    from aigym_db.project.migrations import migrations

    project = find(project)
    return apply_migrations(
        require_dsn(dsn),
        migrations(project),
        to=to,
        plan=plan,
        options=options or Options.of(project),
        observer=observer,
    )


def plan(
    dsn: str, project: ProjectOrFolder, *, to: int | None = None, options: Options | None = None
) -> Plan:
    """Return what `migrate` would apply; the database is only read.

    Raise what `migrate` raises before it acquires a lock.
    """
    from aigym_db.database.dsn import require_dsn
    from aigym_db.migrate.apply import pending
    from aigym_db.migrate.options import Options
    from aigym_db.project.config import find
    from aigym_db.project.migrations import migrations

    project = find(project)
    return pending(require_dsn(dsn), migrations(project), to=to, options=options or Options.of(project))


def rollback(
    dsn: str,
    project: ProjectOrFolder,
    *,
    to: int | None = None,
    steps: int | None = None,
    yes: bool = False,
    plan: Plan | None = None,
    options: Options | None = None,
    observer: Observer | None = None,
) -> tuple[Finished, ...]:
    """Roll back the migrations after version `to`, or the newest `steps` (default: 1).

    Return them, newest first.

    Raise DataLoss (AIG-G003) if rows would be lost and `yes` is false; `plan=error.plan` with `yes=True` then
    rolls back exactly what the error lists. Raise Irreversible (AIG-G004) before anything is changed if a
    migration has no down, and every other error of `aigym-db rollback`.
    """
    from aigym_db.database.dsn import require_dsn
    from aigym_db.migrate.options import Options
    from aigym_db.migrate.rollback import rollback as roll_back
    from aigym_db.project.config import find
    from aigym_db.project.migrations import migrations

    project = find(project)
    return roll_back(
        require_dsn(dsn),
        migrations(project),
        to=to,
        steps=steps,
        yes=yes,
        plan=plan,
        options=options or Options.of(project),
        observer=observer,
    )


def status(dsn: str, project: ProjectOrFolder) -> Status:
    """Return the applied, the pending and the partially applied migrations; the database is only read.

    Raise EditedMigration (AIG-T003), MissingMigration (AIG-T002) or EditedFrozen (AIG-T001) if files and
    ledger differ.
    """
    from aigym_db.database.dsn import require_dsn
    from aigym_db.migrate.status import status as read_status
    from aigym_db.project.config import find
    from aigym_db.project.lock_file import frozen
    from aigym_db.project.migrations import migrations

    project = find(project)
    files = migrations(project)
    return read_status(require_dsn(dsn), files, frozen=frozen(project, files))


def lint(project: ProjectOrFolder) -> tuple[Finding, ...]:
    """Return the findings about the migrations and the state of a project.

    The setting `lint` changes their levels. Raise BadConfig (AIG-P002) if it names an unknown rule.
    """
    from aigym_db.lint.engine import lint_project
    from aigym_db.lint.rule import rules
    from aigym_db.project.config import find, unknown_setting
    from aigym_db.project.migrations import migrations
    from aigym_db.project.order import ordered

    project = find(project)
    known = {rule.name for rule in rules()}
    unknown = next((name for name in project.lint if name not in known), None)
    if unknown is not None:
        message = f"The setting `lint` names a rule `{unknown}`, which does not exist."
        raise unknown_setting(project, message, unknown, known, "lint", unknown)
    findings = lint_project(migrations(project), ordered(project) if project.has_state else ())
    levels = [LEVELS[project.lint.get(finding.rule, finding.level)] for finding in findings]
    return tuple(
        replace(finding, level=level) for finding, level in zip(findings, levels, strict=True) if level
    )


def health(dsn: str, project: ProjectOrFolder | None = None, *, checks: tuple[str, ...] = ()) -> Health:
    """Return the health of a database; `checks` are names or codes of checks (default: all).

    The database is only read, and needs no ledger. `project` provides the setting `health_suppressions`, and
    its external domains, whose objects are left out. `aigym_db.health.examine.exit_status` returns the exit
    status of the command from the severities of the results.

    Raise BadCommandLine (AIG-P013) if a check does not exist, BadConfig (AIG-P002) if a suppression names one
    that does not, CannotConnect (AIG-S001), and the errors of PostgreSQL.
    """
    from datetime import UTC, datetime

    from aigym_db.database.dsn import require_dsn
    from aigym_db.health.examine import examine
    from aigym_db.health.suppress import check_suppressions, suppress
    from aigym_db.project.config import find
    from aigym_db.project.domains import domains

    dsn = require_dsn(dsn)
    if project is None:
        return examine(dsn, names=checks)
    project = find(project)
    check_suppressions(project)
    external = [domain.name for domain in domains(project) if domain.external]
    examined = examine(dsn, names=checks, ignored=("aigym_db", *external))
    return suppress(examined, project.health_suppressions, datetime.now(UTC).date())


def plan_partitions(
    dsn: str, project: ProjectOrFolder, *, options: PartitionOptions | None = None
) -> PartitionPlan:
    """Return the steps that are due for tables partitioned by time; the database is only read.

    Raise what `apply_partitions` raises before it acquires a lock.
    """
    from aigym_db.database.dsn import require_dsn
    from aigym_db.partitions.apply import due_steps
    from aigym_db.project.config import find

    return due_steps(require_dsn(dsn), find(project), options)


def apply_partitions(
    dsn: str,
    project: ProjectOrFolder,
    *,
    options: PartitionOptions | None = None,
    observer: PartitionObserver | None = None,
) -> PartitionPlan:
    """Execute the steps that are due for tables partitioned by time, and return them.

    Each step is a transaction of its own; a run that was interrupted is continued by the next call. Raise
    FormerPartition (AIG-G009) if a table that is no partition has the name of one that is due, LockTimeout
    (AIG-S004) if a lock was not granted in time, and every other error of `aigym-db partitions apply`.
    """
    from aigym_db.database.dsn import require_dsn
    from aigym_db.partitions.apply import execute_steps
    from aigym_db.project.config import find

    return execute_steps(require_dsn(dsn), find(project), options, observer=observer)


@dataclass(frozen=True, slots=True)
class AccessResult:
    """The result of a test of the access matrix."""

    outcomes: tuple[Outcome, ...]
    """One for each cell of a table."""
    calls: tuple[CallOutcome, ...]
    """One for each cell of a function."""
    findings: tuple[Finding, ...]
    """Empty if every cell matches."""

    @property
    def ok(self) -> bool:
        """True if there are no findings."""
        return not self.findings


def test(project: ProjectOrFolder, *, tables: tuple[str, ...] = ()) -> AccessResult:
    """Test the access matrix, or its cells about some tables and functions, on a throwaway database.

    Raise BadAccessMatrix (AIG-P012) if the matrix is incomplete or inconsistent, BadCommandLine (AIG-P013)
    for a table or function that it does not contain.
    """
    from aigym_db.access.report import access_report
    from aigym_db.project.config import find

    with access_report(find(project), tables=tables) as report:
        return AccessResult(report.outcomes, report.calls, report.findings)

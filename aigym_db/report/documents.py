"""The JSON documents that `--format json` prints, as types.

Imported only for that format: the types take time to create, which `migrate` and `status` without it do not
need.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypedDict


class FindingEntry(TypedDict):
    """A finding, or the error that ended the command."""

    rule: str
    code: str
    level: Literal["error", "warning", "note"]
    file: str | None
    line: int | None
    column: int | None
    message: str
    hint: str


class CommandDocument(TypedDict):
    """What the document of every command contains."""

    command: str | None
    """Null if the command line contains no known command."""
    ok: bool
    exit_status: int
    findings: list[FindingEntry]


class FinishedEntry(TypedDict):
    """A migration that was applied or rolled back, and is committed."""

    version: int
    name: str
    duration_ms: float
    lock_wait_ms: float


class WaitingEntry(TypedDict):
    """A pending migration that belongs to another phase."""

    version: int
    name: str
    phase: Literal["expand", "contract"]


class PendingEntry(TypedDict):
    """A migration that `migrate` would apply."""

    version: int
    name: str
    phase: Literal["expand", "contract"] | None
    frozen: bool


class AppliedEntry(TypedDict):
    """A migration that the database has run."""

    version: int
    name: str
    checksum: str
    applied_at: datetime
    out_of_order_after: int | None
    """The newer version that had been applied before."""


class PartialEntry(TypedDict):
    """A partially applied or partially rolled back migration."""

    version: int
    name: str
    direction: Literal["up", "down"]
    statements_done: int
    rows_changed: int | None
    """Rows of a backfill; null for other statements."""


class TargetHead(TypedDict):
    """What `migrate`, `rollback` and `status` report of every target of `--targets`."""

    name: str
    schema: str | None
    canary: bool
    status: str
    error: FindingEntry | None


class ExecutedTarget(TargetHead):
    """What `migrate` and `rollback` report of a target."""

    pending: int | None
    """Null, as `waiting`, if there is no plan: the target was not reached, or rejected."""
    waiting: int | None
    duration_ms: float


class MigratedTarget(ExecutedTarget):
    """A target of `migrate --targets`."""

    applied: list[FinishedEntry]


class RolledBackTarget(ExecutedTarget):
    """A target of `rollback --targets`."""

    rolled_back: list[FinishedEntry]


class StatusTarget(TargetHead):
    """A target of `status --targets`; the results are null if the status could not be read."""

    version: int | None
    """The newest applied one."""
    pending: list[PendingEntry] | None
    unfinished: list[PartialEntry] | None


class MigrateResults(TypedDict, total=False):
    """The results of `migrate`."""

    applied: list[FinishedEntry]
    waiting: list[WaitingEntry]
    targets: list[MigratedTarget]


class RollbackResults(TypedDict, total=False):
    """The results of `rollback`."""

    rolled_back: list[FinishedEntry]
    targets: list[RolledBackTarget]


class StatusResults(TypedDict, total=False):
    """The results of `status`; with `--sql` only `sql`."""

    applied: list[AppliedEntry]
    pending: list[PendingEntry]
    unfinished: list[PartialEntry] | None
    """Null if the role cannot read the journal of the ledger."""
    targets: list[StatusTarget]
    sql: str


class LintCounts(TypedDict):
    """The number of findings of each level."""

    error: int
    warning: int
    note: int


class InterfaceResults(TypedDict, total=False):
    """The results of `interface`."""

    schema: str
    facts: list[str]
    """What programs can depend on, in the order of the recorded file."""


class LintResults(TypedDict, total=False):
    """The results of `lint`."""

    counts: LintCounts


class VerifyResults(TypedDict, total=False):
    """The results of `verify`."""

    ran: list[str]
    skipped: dict[str, str]
    """The checks that could not run, and what each requires."""


class FreezeResults(TypedDict, total=False):
    """The results of `freeze`."""

    frozen: list[str]


class RenderResults(TypedDict, total=False):
    """The results of `render`."""

    sql: str


class NewResults(TypedDict, total=False):
    """The results of `new`."""

    files: list[str]


class SeedResults(TypedDict, total=False):
    """The results of `seed`."""

    set: str
    rows_written: int


class UpResults(TypedDict, total=False):
    """The results of `up`."""

    applied: list[FinishedEntry]
    dsn: str


class InitResults(TypedDict, total=False):
    """The results of `init`."""

    directory: str
    files: list[str]


class ExplainResults(TypedDict, total=False):
    """The results of `explain`: all `codes`, or one `code` and its `page`."""

    codes: list[str]
    code: str
    page: str


class DoctorResults(TypedDict, total=False):
    """The results of `doctor`."""

    checks: dict[str, str]
    """The result of each check, or the message of its error."""


class ServerResults(TypedDict, total=False):
    """The results of `server`: of `start` and `url`, of `stop`, and of `gc`."""

    dsn: str
    stopped: bool
    removed: list[str]
    kept: list[str]
    """The data folders of local servers whose project folder is missing."""


class MeasurementEntry(TypedDict):
    """What a check of `health` measured on one object."""

    severity: Literal["ok", "unknown", "warning", "critical"]
    object: str
    """Empty for the whole database."""
    message: str
    value: float | None
    """In the unit of the check; null if it has none, or if the value has no limit."""
    suppressed: str | None
    """The reason and the end of its suppression, which makes it `ok`; null if it is not suppressed."""


class HealthCheckEntry(TypedDict):
    """The result of one check of `health`."""

    code: str
    name: str
    severity: Literal["ok", "unknown", "warning", "critical"]
    unit: str | None
    grant: str | None
    """The statements that grant the missing privilege; null if the check ran."""
    hint: str
    measurements: list[MeasurementEntry]


class HealthResults(TypedDict, total=False):
    """The results of `health`."""

    database: str
    server_version: str
    checks: list[HealthCheckEntry]


class DuePartitionEntry(TypedDict):
    """A partition of a step of `partitions`."""

    name: str
    lower: datetime
    upper: datetime
    rows: int | None
    """Rows that the step moves or writes; null if it does neither."""


class PartitionStepEntry(TypedDict):
    """A step of `partitions`: one that is due, or one that was executed."""

    kind: Literal["finalize", "copy", "create", "detach", "mark", "archive", "drop"]
    table: str
    partitions: list[DuePartitionEntry]


class PartitionsResults(TypedDict, total=False):
    """The results of `partitions`: of `plan` and `apply`, and of `--print`."""

    steps: list[PartitionStepEntry]
    unarchived: list[str]
    """Detached partitions that remain, because no folder for archives is configured."""
    skipped: list[str]
    """Tables that are not partitioned as their strategy describes."""
    schedule: str


class MutantKindCounts(TypedDict):
    """The mutants of one kind."""

    tried: int
    killed: int
    equivalent: int
    survived: int


class MutantCounts(TypedDict):
    """The result of `test --mutants`."""

    tried: int
    killed: int
    kinds: dict[str, MutantKindCounts]
    """By kind: `policy`, `helper` (functions that policies call), `function`."""
    mutants_per_second: int
    equivalent: dict[str, str]
    """The declared equivalent mutants, and the reason of each."""
    survived: list[str]
    rejected: dict[str, str]
    """The mutants that PostgreSQL rejected, and its message."""


class CallCounts(TypedDict):
    """The call cells of `test`: a call of a function by an actor."""

    cells: int
    matching: int
    differing: int
    cached: int
    """Cells whose verdicts are from earlier runs."""
    cells_per_second: int


class TestResults(TypedDict, total=False):
    """The results of `test`."""

    control: Literal["found"]
    """The deliberately wrong table was reported; otherwise the document has the error blind-detector."""
    cells: int
    matching: int
    differing: int
    cached: int
    """Cells whose verdicts are from earlier runs; the others were executed."""
    cells_per_second: int
    calls: CallCounts
    mutants: MutantCounts


Results = (
    DoctorResults
    | ExplainResults
    | FreezeResults
    | HealthResults
    | InitResults
    | InterfaceResults
    | LintResults
    | MigrateResults
    | NewResults
    | PartitionsResults
    | RenderResults
    | RollbackResults
    | SeedResults
    | ServerResults
    | StatusResults
    | TestResults
    | UpResults
    | VerifyResults
)

RESULTS: dict[str, type] = {
    "doctor": DoctorResults,
    "explain": ExplainResults,
    "freeze": FreezeResults,
    "health": HealthResults,
    "init": InitResults,
    "interface": InterfaceResults,
    "lint": LintResults,
    "migrate": MigrateResults,
    "new": NewResults,
    "partitions": PartitionsResults,
    "render": RenderResults,
    "rollback": RollbackResults,
    "seed": SeedResults,
    "server": ServerResults,
    "status": StatusResults,
    "test": TestResults,
    "up": UpResults,
    "verify": VerifyResults,
}
"""The type of the results of each command."""

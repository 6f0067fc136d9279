"""The JSON documents that `--format json` prints, as types, and their JSON Schemas."""

from __future__ import annotations

import types
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding, or the error that ended the command."""

    rule: str
    code: str
    level: Literal["error", "warning", "note"]
    file: str | None
    line: int | None
    column: int | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class CommandDocument:
    """What the document of every command contains."""

    command: str
    ok: bool
    exit_status: int
    findings: list[FindingEntry]


@dataclass(frozen=True, slots=True)
class FinishedEntry:
    """A migration that was applied or rolled back, and is committed."""

    version: int
    name: str
    duration_ms: float
    lock_wait_ms: float


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """A pending migration that belongs to another phase."""

    version: int
    name: str
    phase: Literal["expand", "contract"]


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """A migration that `migrate` would apply."""

    version: int
    name: str
    phase: Literal["expand", "contract"] | None
    frozen: bool


@dataclass(frozen=True, slots=True)
class AppliedEntry:
    """A migration that the database has run."""

    version: int
    name: str
    checksum: str
    applied_at: datetime
    out_of_order_after: int | None
    """The newer version that had been applied before."""


@dataclass(frozen=True, slots=True)
class PartialEntry:
    """A partially applied or partially rolled back migration."""

    version: int
    name: str
    direction: Literal["up", "down"]
    statements_done: int
    rows_changed: int


@dataclass(frozen=True, slots=True)
class MigratedTarget:
    """A target of `migrate --targets`."""

    name: str
    schema: str | None
    canary: bool
    status: str
    pending: int | None
    waiting: int | None
    applied: list[FinishedEntry]
    duration_ms: float
    error: FindingEntry | None


@dataclass(frozen=True, slots=True)
class RolledBackTarget:
    """A target of `rollback --targets`."""

    name: str
    schema: str | None
    canary: bool
    status: str
    pending: int | None
    waiting: int | None
    rolled_back: list[FinishedEntry]
    duration_ms: float
    error: FindingEntry | None


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """A target of `status --targets`."""

    name: str
    schema: str | None
    canary: bool
    status: str
    version: int | None
    """The newest applied one."""
    pending: list[PendingEntry]
    unfinished: list[PartialEntry] | None
    error: FindingEntry | None


@dataclass(frozen=True, slots=True)
class MigrateDocument(CommandDocument):
    """The document of `migrate`."""

    applied: list[FinishedEntry] | None = None
    waiting: list[WaitingEntry] | None = None
    targets: list[MigratedTarget] | None = None


@dataclass(frozen=True, slots=True)
class RollbackDocument(CommandDocument):
    """The document of `rollback`."""

    rolled_back: list[FinishedEntry] | None = None
    targets: list[RolledBackTarget] | None = None


@dataclass(frozen=True, slots=True)
class StatusDocument(CommandDocument):
    """The document of `status`; with `--sql` only `sql`."""

    applied: list[AppliedEntry] | None = None
    pending: list[PendingEntry] | None = None
    unfinished: list[PartialEntry] | None = None
    """Null if the role cannot read the journal of the ledger."""
    targets: list[TargetEntry] | None = None
    sql: str | None = None


@dataclass(frozen=True, slots=True)
class LintCounts:
    """The number of findings of each level."""

    error: int
    warning: int
    note: int


@dataclass(frozen=True, slots=True)
class LintDocument(CommandDocument):
    """The document of `lint`."""

    counts: LintCounts | None = None


@dataclass(frozen=True, slots=True)
class VerifyDocument(CommandDocument):
    """The document of `verify`."""

    ran: list[str] | None = None
    skipped: dict[str, str] | None = None
    """The checks that could not run, and what each requires."""


@dataclass(frozen=True, slots=True)
class FreezeDocument(CommandDocument):
    """The document of `freeze`."""

    frozen: list[str] | None = None


@dataclass(frozen=True, slots=True)
class RenderDocument(CommandDocument):
    """The document of `render`."""

    sql: str | None = None


@dataclass(frozen=True, slots=True)
class NewDocument(CommandDocument):
    """The document of `new`."""

    files: list[str] | None = None


@dataclass(frozen=True, slots=True)
class SeedDocument(CommandDocument):
    """The document of `seed`."""

    set: str | None = None
    rows_written: int | None = None


@dataclass(frozen=True, slots=True)
class UpDocument(CommandDocument):
    """The document of `up`."""

    dsn: str | None = None


@dataclass(frozen=True, slots=True)
class InitDocument(CommandDocument):
    """The document of `init`."""

    directory: str | None = None
    files: list[str] | None = None


@dataclass(frozen=True, slots=True)
class ExplainDocument(CommandDocument):
    """The document of `explain`: all `codes`, or one `code` and its `page`."""

    codes: list[str] | None = None
    code: str | None = None
    page: str | None = None


@dataclass(frozen=True, slots=True)
class DoctorDocument(CommandDocument):
    """The document of `doctor`."""

    checks: dict[str, str] | None = None
    """The result of each check, or the message of its error."""


@dataclass(frozen=True, slots=True)
class ServerDocument(CommandDocument):
    """The document of `server`; each of its commands sets one field."""

    dsn: str | None = None
    stopped: bool | None = None
    removed: list[str] | None = None


@dataclass(frozen=True, slots=True)
class MutantCounts:
    """The result of `test --mutants`."""

    tried: int
    killed: int
    equivalent: dict[str, str]
    """The declared equivalent mutants, and the reason of each."""
    survived: list[str]
    rejected: dict[str, str]
    """The mutants that PostgreSQL rejected, and its message."""


@dataclass(frozen=True, slots=True)
class TestDocument(CommandDocument):
    """The document of `test`."""

    cells: int | None = None
    matching: int | None = None
    differing: int | None = None
    cells_per_second: int | None = None
    mutants: MutantCounts | None = None


DOCUMENTS: dict[str, type[CommandDocument]] = {
    "doctor": DoctorDocument,
    "explain": ExplainDocument,
    "freeze": FreezeDocument,
    "init": InitDocument,
    "lint": LintDocument,
    "migrate": MigrateDocument,
    "new": NewDocument,
    "render": RenderDocument,
    "rollback": RollbackDocument,
    "seed": SeedDocument,
    "server": ServerDocument,
    "status": StatusDocument,
    "test": TestDocument,
    "up": UpDocument,
    "verify": VerifyDocument,
}
"""The type of each command's document."""


def document_schema(kind: type[CommandDocument]) -> dict[str, Any]:
    """Return the JSON Schema of a command's document.

    A field with a default is missing if the command failed before it had that result.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.__name__,
        **_schema(kind),
    }


_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    type(None): {"type": "null"},
}


def _schema(kind: Any) -> dict[str, Any]:
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": [*arguments]}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1])}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(argument) for argument in arguments]}
    hints = get_type_hints(kind)
    return {
        "description": kind.__doc__,
        "type": "object",
        "properties": {name: _schema(hint) for name, hint in hints.items()},
        "required": [field.name for field in fields(kind) if field.default is MISSING],
        "additionalProperties": False,
    }

"""The access matrix: actors, cells, attempts, outcomes and mutants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aigym_db.model.source import Place

Command = Literal["select", "insert", "update", "delete", "reassign"]
COMMANDS: tuple[Command, ...] = ("select", "insert", "update", "delete", "reassign")
"""The columns of the access matrix. `reassign` is an UPDATE that changes the owner or tenant of a row."""

Way = Literal["select", "insert", "without where", "with where"]
"""The way to test a command: SELECT of all keys, INSERT of a fixture row, UPDATE or DELETE without WHERE, to
which SELECT policies do not apply, and with a WHERE clause, to which they do."""

Rejection = Literal["grant", "policy", "constraint"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A role with claims and settings that policies distinguish."""

    name: str
    role: str
    """The database role, e.g. `authenticated`."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """The value of `request.jwt.claims`; empty for an anonymous request."""
    settings: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)
    """The values of `{me}`, `{tenants}` … in row classes."""
    provides: tuple[str, ...] = ()
    """The session levels (e.g. of MFA) that this actor satisfies."""
    note: str = ""

    @property
    def claims_text(self) -> str:
        """The claims as JSON, as `request.jwt.claims` contains them; empty for an anonymous request."""
        return json.dumps(self.claims) if self.claims else ""

    @property
    def texts(self) -> tuple[str, str, str]:
        """Role, claims and settings as texts, as the tables of statements to execute contain them."""
        return self.role, self.claims_text, json.dumps(dict(self.settings))


@dataclass(frozen=True, slots=True)
class Cell:
    """The row classes that this actor is expected to reach in this table by this command."""

    table: str
    actor: str
    command: Command
    classes: tuple[str, ...]
    """Empty: no rows."""
    place: Place | None = None
    gains: frozenset[str] = frozenset()
    """What the actor may reach only after a permitted write of this cell: names as in ReachKey."""

    def __str__(self) -> str:
        return f"{self.table}: {self.actor} {self.command}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way of testing a cell: the expected and the actual keys."""

    way: Way
    expected: frozenset[str]
    actual: frozenset[str]
    rejected_by: Rejection | None = None
    error: str = ""
    """An error other than a missing privilege, a policy or a constraint: infinite recursion, …"""

    @property
    def ok(self) -> bool:
        """True if the actual keys are the expected ones and no error was raised."""
        return not self.error and self.expected == self.actual


@dataclass(frozen=True, slots=True)
class Outcome:
    """The attempts on a cell."""

    cell: Cell
    attempts: tuple[Attempt, ...]
    rows: Mapping[str, str] = field(default_factory=dict)
    """Key of each fixture row to its owner and tenant columns (`tenant_id = …`), for messages."""

    @property
    def ok(self) -> bool:
        """True if the keys of every attempt are the expected ones."""
        return all(attempt.ok for attempt in self.attempts)


RowCounts = tuple[int, int, int]
"""Numbers of rows inserted, updated and deleted."""


ReachKey = tuple[str, str, str]
"""The name of an actor, empty for the one that executes the statement; `gains` or `loses`; and what: the rows
that the actor can select (`schema.table`), update (`schema.table~`), delete (`schema.table-`), the rows of
the actor that functions of policies read (`schema.table(held)`), or the values of a function
(`schema.name(call)`)."""


@dataclass(frozen=True, slots=True)
class CallExpectation:
    """The expected result of a call by one actor."""

    text: str
    """As in the access matrix."""
    rejected: str = ""
    """The SQLSTATE; empty if the call is permitted."""
    rejected_before: bool = False
    """A statement before the call is rejected, so that it is not executed."""
    rows: int | None = None
    """The number of rows or values returned; None if `value` states them."""
    value: str = ""
    """SQL for the value returned, for a set an array of the values; empty if `rows` states their number."""
    changes: Mapping[str, RowCounts] = field(default_factory=dict)
    """The rows changed in each table, `schema.table`, by the call and the triggers it fires."""
    reach: Mapping[ReachKey, int | None] = field(default_factory=dict)
    """How many rows and values the actors of the call gain and lose; None: any number."""


@dataclass(frozen=True, slots=True)
class CallStep:
    """A statement that is executed before a call, in the same transaction."""

    sql: str
    actor: str
    """The actor that executes it."""


@dataclass(frozen=True, slots=True)
class CallCell:
    """A call of a function by an actor, and its expected result."""

    function: str
    call: str
    actor: str
    expected: CallExpectation
    arguments: tuple[str, ...] = ()
    """SQL expressions."""
    before: tuple[CallStep, ...] = ()
    """The statements executed before the call, in the same transaction."""
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.function}: {self.actor} {self.call}"


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The actual result of a call, in the words of the access matrix."""

    cell: CallCell
    ok: bool
    actual: str
    statement: str = ""
    """The function with the values of its arguments."""


MutantKind = Literal["policy", "helper", "function"]
"""What is changed: a policy, a function that policies call, or a function that only actors, triggers or other
functions call."""
MUTANT_KINDS: tuple[MutantKind, ...] = ("policy", "helper", "function")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A deliberate fault in a policy or a function."""

    id: str
    """Policy or function and mutation operator; stable as long as the text of the policy is."""
    ddl: str
    kind: MutantKind
    table: str | None = None
    """The table whose policy it changes; None for a function."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no cell kills."""

    mutant: Mutant
    equivalent: str = ""
    """The reason from `policies/equivalents.toml`."""

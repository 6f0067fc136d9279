"""Who may do what: the actors, the questions asked as each of them, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aigym_db.model.source import Place

Command = Literal["select", "insert", "update", "delete", "move"]
COMMANDS: tuple[Command, ...] = ("select", "insert", "update", "delete", "move")
"""The columns of an answers sheet. `move` is an update that gives a row another owner or tenant."""

Way = Literal["look", "forged", "blind", "sighted"]
"""How a command was tried: a look at the table, somebody's very row inserted, a write without WHERE
(the SELECT policies do not apply to it), a write that names its rows (they do)."""

Refusal = Literal["grant", "policy", "constraint"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody the policies must tell apart."""

    name: str
    role: str
    """The database role the connection takes, e.g. `authenticated`."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """What `request.jwt.claims` holds; empty for nobody in particular."""
    settings: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)
    """What `{me}`, `{tenants}` … in a row class stand for when this actor asks."""
    meets: tuple[str, ...] = ()
    """The levels (e.g. of MFA) this actor's session satisfies; a table that demands another gives nothing."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer of the sheet: this actor, this command, this table reaches exactly these row classes."""

    table: str
    actor: str
    command: Command
    classes: tuple[str, ...]
    """Empty: none."""
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.table}: {self.actor} {self.command}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way of trying a cell's command: the keys of the rows it should reach and did reach."""

    way: Way
    expected: frozenset[str]
    reached: frozenset[str]
    refused: Refusal | None = None
    error: str = ""
    """What PostgreSQL said when it neither ran nor refused the statement: a recursion between policies, …"""

    @property
    def ok(self) -> bool:
        return not self.error and self.expected == self.reached


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a cell, in every way it was tried."""

    cell: Cell
    attempts: tuple[Attempt, ...]
    rows: Mapping[str, str] = field(default_factory=dict)
    """For the message: a row's key, and whose it is (`tenant_id = …`)."""

    @property
    def ok(self) -> bool:
        return all(attempt.ok for attempt in self.attempts)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way of breaking a policy or a function that policies ask."""

    id: str
    """Says what was done to what; stays the same as long as the policy's text does."""
    ddl: str
    table: str | None
    """The table whose policy it breaks; None for a function."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant no answer noticed, unless somebody has said why it makes no difference."""

    mutant: Mutant
    equivalent: str = ""
    """The reason of its entry in `policies/equivalents.toml`."""

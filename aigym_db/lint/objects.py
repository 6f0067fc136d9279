"""Catalog objects. They are immutable, so a copy of the chain is a shallow copy of its dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aigym_db.lint.section import Spot
from aigym_db.lint.types import Type

RelationKind = Literal["table", "partitioned", "view", "materialized view", "foreign table", "unknown"]
ConstraintKind = Literal["check", "foreign key", "primary key", "unique", "exclusion", "not null"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a relation."""

    name: str
    type: Type
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table."""

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    validated: bool = True
    expression: Any = None
    """Of a CHECK constraint."""
    references: str | None = None
    """Of a foreign key: the referenced table."""
    index: str | None = None
    """Of a primary key, unique or exclusion constraint: its index."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table or materialized view."""

    name: str
    table: str
    columns: tuple[str, ...]
    """Empty strings represent expressions."""
    unique: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """A row-level security policy, as last changed."""

    name: str
    table: str
    command: str
    """`all`, `select`, `insert`, `update` or `delete`."""
    permissive: bool
    roles: tuple[str, ...]
    using: Any
    check: Any
    spot: Spot


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or other relation, as last changed."""

    name: str
    kind: RelationKind
    batch: int
    """The batch that created it; -1 if the SQL did not."""
    spot: Spot | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    constraints: Mapping[str, Constraint] = field(default_factory=dict)
    rls: bool = False
    owner: str | None = None
    temporary: bool = False
    parent: str | None = None
    """The partitioned table it is attached to."""
    partition_key: tuple[str, ...] = ()
    default_partition: str | None = None
    sources: frozenset[str] = frozenset()
    """Of a view: the relations its query reads."""
    security_invoker: bool = False
    """Of a view: it reads with the privileges of the querying role."""

    @property
    def known(self) -> bool:
        """True if the SQL created it, so that all its columns and constraints are known."""
        return self.kind != "unknown"


@dataclass(frozen=True, slots=True)
class Function:
    """A function or procedure; overloads are separate functions."""

    name: str
    arguments: tuple[str, ...]
    """Types of the input arguments."""
    spot: Spot
    language: str
    returns: str
    definer: bool
    path: tuple[str, ...] | None
    """The search_path it sets; None if it sets none."""
    volatility: str
    """`v`olatile, `s`table or `i`mmutable."""
    tree: Any
    """Its CREATE FUNCTION statement."""
    public: bool = True
    """PUBLIC may execute it, which is the default."""

    @property
    def signature(self) -> str:
        """The name with the types of the input arguments, e.g. `coach.rate(bigint, text)`."""
        return f"{self.name}({', '.join(self.arguments)})"


@dataclass(frozen=True, slots=True)
class UserType:
    """A type that the SQL created."""

    name: str
    kind: Literal["enum", "domain", "composite", "range"]
    values: tuple[str, ...] = ()
    constrained: bool = False
    """Of a domain: it has a CHECK or NOT NULL constraint."""
    base: Type | None = None


@dataclass(slots=True)
class TransactionState:
    """The open transaction, and its changes that affect later statements in it."""

    explicit: bool
    """Opened by a BEGIN in the SQL; otherwise by the runner."""
    spot: Spot | None
    before: Any = None
    """A copy of the chain at BEGIN, for ROLLBACK."""
    unvalidated: set[tuple[str, str]] = field(default_factory=set)
    """Constraints added NOT VALID: table and name."""
    new_types: set[str] = field(default_factory=set)
    enum_values: set[str] = field(default_factory=set)
    """Labels added to enums created before the transaction."""
    altered: dict[str, Spot] = field(default_factory=dict)
    """Tables in use on which an ALTER TABLE holds an ACCESS EXCLUSIVE lock."""

    def add_not_valid(self, table: str, constraints: Iterable[str]) -> None:
        """Record constraints that the transaction has added NOT VALID."""
        self.unvalidated.update((table, name) for name in constraints)

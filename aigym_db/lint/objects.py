"""What the chain knows about one object. All frozen, so a copy of the chain is a copy of its dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aigym_db.lint.section import Spot
from aigym_db.lint.types import Type

RelationKind = Literal["table", "partitioned", "view", "materialized view", "foreign table", "unknown"]
ConstraintKind = Literal["check", "foreign key", "primary key", "unique", "exclusion", "not null"]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class Constraint:
    name: str
    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    validated: bool = True
    expression: Any = None
    """Of a check."""
    references: str | None = None
    """Of a foreign key: the other table."""
    index: str | None = None
    """Of a primary key, unique or exclusion constraint: the index behind it."""


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    table: str
    columns: tuple[str, ...]
    """Empty strings stand for expressions."""
    unique: bool
    constraint: bool = False
    """It stands behind a constraint, so DROP INDEX cannot drop it."""


@dataclass(frozen=True, slots=True)
class Policy:
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
    name: str
    kind: RelationKind
    born: int
    """The batch of the chain that created it; -1 when the chain did not."""
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
    """Of a view: it reads with the rights of whoever asks."""

    @property
    def known(self) -> bool:
        """Whether the chain created it, so its columns and constraints are all known."""
        return self.kind != "unknown"


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[str, ...]
    """Types of what a caller passes in."""
    spot: Spot
    language: str
    returns: str
    definer: bool
    path: tuple[str, ...] | None
    """The search_path it sets, None when it sets none."""
    volatility: str
    """`v`olatile, `s`table or `i`mmutable."""
    tree: Any
    """Its CREATE FUNCTION."""
    public: bool = True
    """Everybody may call it, as a new function is born."""

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type the chain created."""

    name: str
    kind: Literal["enum", "domain", "composite", "range"]
    values: tuple[str, ...] = ()
    constrained: bool = False
    """Of a domain: it has a check or NOT NULL."""
    base: Type | None = None


@dataclass(slots=True)
class TransactionState:
    """What the open transaction has done so far that matters to what follows."""

    explicit: bool
    """The text said BEGIN; else the runner did."""
    spot: Spot | None
    before: Any = None
    """A copy of the chain from when it began, for ROLLBACK."""
    unvalidated: set[tuple[str, str]] = field(default_factory=set)
    """Constraints added NOT VALID: table, name."""
    new_types: set[str] = field(default_factory=set)
    enum_values: set[str] = field(default_factory=set)
    """Labels added to enums that existed before."""
    altered: dict[str, Spot] = field(default_factory=dict)
    """Tables with rows that an ALTER TABLE has locked against everybody."""

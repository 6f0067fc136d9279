"""The card at the head of a table's file, and the domain the table belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Tenancy = Literal["global", "tenant", "owner", "owner_tenant", "child", "system"]
MfaLevel = Literal["none", "enrolled", "always"]
AuditMode = Literal["none", "meta", "diff", "full"]


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How a table is split."""

    method: Literal["range", "hash"]
    column: str
    interval: Literal["day", "month"] | None = None
    keep: int | None = None
    """The number of intervals whose partitions stay attached; None for no limit."""
    modulus: int | None = None


@dataclass(frozen=True, slots=True)
class PersonalColumn:
    """A column that holds personal data: its class and what erasure does with it."""

    data_class: Literal["personal", "special", "secret"]
    erasure: Literal["delete", "anonymise", "pseudonymise", "retain"]


@dataclass(frozen=True, slots=True)
class Card:
    """The decisions about one table: ownership, access, retention, personal data."""

    schema: str
    table: str
    purpose: str
    tenancy: Tenancy
    mfa: MfaLevel
    audit: AuditMode
    retention: str
    """Days, or `life` (as long as its owner or tenant), or `parent`."""
    expected_rows: int
    owner_column: str | None = None
    tenant_column: str | None = None
    parent: str | None = None
    personal: Mapping[str, PersonalColumn] = field(default_factory=dict)
    partitioning: Partitioning | None = None
    legal_basis: str | None = None
    counters: tuple[str, ...] = ()
    """Columns whose changes the audit log does not record."""

    @property
    def name(self) -> str:
        """The table as `schema.table`."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class Domain:
    """A schema of the database: what it is for and which others its tables may reference."""

    name: str
    purpose: str
    owner: str
    may_reference: tuple[str, ...] = ()
    external: bool = False
    """True for a schema of another product, e.g. Supabase's `auth`: no cards, no access matrix."""

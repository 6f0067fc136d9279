"""The outcome of a non-transactional statement, and the base class of the probes that determine it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import Connection

Known = Mapping[str, Any]
"""Catalog facts recorded before a statement is sent, in its `intent` event of the journal."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a statement and how to continue."""

    outcome: Literal["done", "again", "unknown", "running", "taken"]
    """done: it has taken effect. again: it has not, or it can be repeated. unknown: the catalog does not show
    it. running: another session is executing it. taken: another object has the name."""
    repair: tuple[str, ...] = ()
    """Statements to execute first, each without a transaction block."""
    note: str = ""
    """The reason, as a clause."""
    hint: str = ""
    """The manual action required; empty if none is."""
    partial: bool = False
    """True if only part of it has taken effect."""
    instead: str | None = None
    """The statement that finishes it, to be executed in its place."""
    warning: str = ""
    """A remaining object that does not prevent the run from continuing."""


class Probe(ABC):
    """The catalog state of one statement that PostgreSQL rejects in a transaction block.

    The queries are executed on `connection`, which is not in a transaction.
    """

    opaque = False
    """True if the catalog does not show whether it has taken effect."""

    waits = False
    """True if it waits without blocking other sessions, so that no lock timeout is needed."""
    repeatable = False
    """True if it is sent again after a lock timeout."""
    hints: Mapping[str, str] = {}
    """Hints by the SQLSTATE of the server's error, for errors with a known remedy."""

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        self.connection = connection
        self.tree = tree
        self.text = text

    def ready(self) -> Verdict:
        """Return the obstacle before the statement is sent; a verdict `again` if there is none."""
        return Verdict("again")

    def before(self) -> Known:
        """Return the catalog facts that `verdict` needs; called before the statement is sent."""
        return {}

    @abstractmethod
    def verdict(self, known: Known) -> Verdict:
        """Return the outcome of the statement; `known` is the result of `before`."""

    def defect(self, known: Known) -> str:
        """Return the defect of the result although PostgreSQL reported success; empty if there is none."""
        return ""


class Opaque(Probe):
    """A statement whose effects the catalog does not show, such as a DO block with COMMIT.

    If it fails, the transactions that it committed before stay committed.
    """

    opaque = True

    def verdict(self, known: Known) -> Verdict:
        return Verdict(
            "unknown",
            note="the transactions it has committed",
            hint="Check how much of the statement took effect.",
        )


class Repeatable(Probe):
    """A statement that can be repeated without harm."""

    repeatable = True

    def verdict(self, known: Known) -> Verdict:
        return Verdict("again", note="it can be repeated")


class Vacuum(Repeatable):
    """VACUUM, which blocks neither reads nor writes unless it is FULL."""

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        super().__init__(connection, tree, text)
        self.waits = not any(option.defname == "full" for option in tree.options or ())

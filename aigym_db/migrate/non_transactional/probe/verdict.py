"""What is to be done about a statement that stands alone, and what every kind of it has to answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import Connection

Known = Mapping[str, Any]
"""What was known of the catalog before a statement was sent; it stands in the journal beside the intent."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about a statement."""

    outcome: Literal["done", "again", "unknown", "elsewhere", "taken"]
    """done: what it says is so. again: it is not, or running it once more does no harm. unknown: only a
    person can tell. elsewhere: somebody else is at it now. taken: something else has the name."""
    repair: tuple[str, ...] = ()
    """Statements to run first, each outside a transaction."""
    note: str = ""
    """Why, in words that go on behind `because`."""
    hint: str = ""
    """What a person does about it; empty where nobody has to do anything."""
    half: bool = False
    """Whether some of it happened and some did not."""
    instead: str | None = None
    """What to run in its place to finish it."""
    warning: str = ""
    """What stays behind and keeps nobody from going on."""


class Probe(ABC):
    """One statement that PostgreSQL runs only outside a transaction, as the catalog shows it.

    The questions are asked on `connection`, which is in no transaction.
    """

    opaque = False
    """Whether the catalog shows nothing of it, so that only a person can tell."""

    waits = False
    """Whether it waits for others without keeping anybody waiting behind it, and so may take its time."""
    repeatable = False
    """Whether it is sent again when a lock was not to be had."""
    hints: Mapping[str, str] = {}
    """What a person does about a refusal of PostgreSQL, by its SQLSTATE, where we know more than it says."""

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        self.connection = connection
        self.tree = tree
        self.text = text

    def ready(self) -> Verdict:
        """What stands in the way before it is sent: `again` when nothing does."""
        return Verdict("again")

    def before(self) -> Known:
        """What has to be known before it is sent, to tell afterwards whether it happened."""
        return {}

    @abstractmethod
    def settle(self, known: Known) -> Verdict:
        """What became of it; `known` is what `before` said."""

    def lacks(self, known: Known) -> str:
        """What is not as it has to be although PostgreSQL called it done; empty when nothing is."""
        return ""


class Opaque(Probe):
    """A statement of which the catalog shows nothing, as a block that commits by itself.

    Also when it was refused: what it committed before that stays.
    """

    opaque = True

    def settle(self, known: Known) -> Verdict:
        return Verdict(
            "unknown",
            note="what it committed before",
            hint="Look at what it changes, and at how far it came.",
        )


class Repeatable(Probe):
    """A statement that may be run as often as one likes."""

    repeatable = True

    def settle(self, known: Known) -> Verdict:
        return Verdict("again", note="it may be run as often as one likes")


class Vacuum(Repeatable):
    """VACUUM; without FULL nobody has to wait behind it."""

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        super().__init__(connection, tree, text)
        self.waits = not any(option.defname == "full" for option in tree.options or ())

"""The strategy of a table that is partitioned by time: interval, number of partitions ahead, retention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.errors import BadCommandLine
from aigym_db.model.card import Partitioning
from aigym_db.model.wording import similar
from aigym_db.partitions.interval import Width

if TYPE_CHECKING:
    from aigym_db.project.config import Project

PREMADE: Mapping[str, int] = {"day": 60, "week": 13, "month": 13, "year": 2}
"""How many partitions after the current one exist: a year and a month, so that a job that did not run for a
year has no effect; 60 days for daily partitions, of which a year would be 365 tables."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How the partitions of a table are created and retired."""

    table: str
    """`schema.table`."""
    key: str
    """The partition column."""
    width: Width
    premade: int
    """Number of intervals after the current one that have a partition."""
    keep: int | None = None
    """Number of intervals whose partitions stay attached after their end; None for no limit."""
    create: bool = True
    detach: bool = True
    drop: bool = False
    """True if a detached partition is dropped, 7 days after its detach."""
    archive: bool = True
    """True if a partition is dropped only after it was archived."""


@dataclass(frozen=True, slots=True)
class Provided:
    """What the database provides for partitions: a table of strategies, and functions that record steps."""

    has_strategies: bool
    has_job: bool
    """True if `ops.ensure_all_partitions()` exists, which pg_cron can call."""
    records_partitions: bool
    records_archives: bool


def provided_objects(connection: Connection[Any]) -> Provided:
    """Return what the database provides."""
    row = connection.execute(query("partitions/provided_objects")).fetchone()
    assert row is not None
    return Provided(*row)


def strategies(connection: Connection[Any], project: Project, provided: Provided) -> tuple[Strategy, ...]:
    """Return the strategies of a database, sorted by table.

    A row of `ops.partition_strategies`, if the database has that table, is used before the card of a table,
    or its entry in the setting `partitions`. Raise BadConfig (AIG-P002) if a table has both a card with
    `partition` and an entry.
    """
    stored = connection.execute(query("partitions/strategies")).fetchall() if provided.has_strategies else []
    known = {f"{row[0]}.{row[1]}": Strategy(f"{row[0]}.{row[1]}", *row[2:]) for row in stored}
    for table, partitioning in declared(project).items():
        known.setdefault(table, _strategy(table, partitioning))
    return tuple(known[table] for table in sorted(known))


def declared(project: Project) -> Mapping[str, Partitioning]:
    """Return the range partitioning of each table that a card or the setting `partitions` describes."""
    from aigym_db.project.cards import cards
    from aigym_db.project.config import wrong_setting
    from aigym_db.project.partitioning import partitioning

    of_cards = cards(project) if project.has_state else {}
    result = {
        table: card.partitioning
        for table, card in of_cards.items()
        if card.partitioning is not None and card.partitioning.method == "range"
    }
    for table, text in project.partitions.items():
        if table in result:
            raise wrong_setting(
                project,
                f"The partitioning of {table} is defined twice: on its card and in the configuration.",
                "partitions",
                table,
                hint="Remove the setting.",
            )
        result[table] = partitioning(text)
    return result


def chosen(known: tuple[Strategy, ...], tables: tuple[str, ...]) -> tuple[Strategy, ...]:
    """Return the strategies of some tables; all if `tables` is empty.

    Raise BadCommandLine (AIG-P013) if one of the tables has no strategy.
    """
    names = [strategy.table for strategy in known]
    for table in tables:
        if table not in names:
            near = similar(table, names)
            raise BadCommandLine(
                f"The table {table} has no strategy for partitions by time.",
                hint=f"Write `{near[0]}`."
                if near
                else "Add the key `partition` to its card, or the table to the setting `partitions`.",
            )
    return tuple(strategy for strategy in known if not tables or strategy.table in tables)


def _strategy(table: str, partitioning: Partitioning) -> Strategy:
    assert partitioning.interval is not None
    width = partitioning.interval
    return Strategy(table, partitioning.column, width, PREMADE[width], partitioning.keep)

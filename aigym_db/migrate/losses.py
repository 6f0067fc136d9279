"""What a rollback would take with it: tables and columns that hold something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from aigym_db.database.queries import query
from aigym_db.errors import WouldDestroyData
from aigym_db.migrate.quoting import quoted
from aigym_db.model.migration import Part, Plan

ENOUGH = 10_000
"""Beyond this many rows nobody needs the exact number, and counting it would take long."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A table, or a column of one, that a statement would drop, and the rows that hold something in it."""

    table: str
    column: str | None
    rows: int | None
    """No more than `ENOUGH` are counted; None when this role may not see them."""

    def __str__(self) -> str:
        what = self.table if self.column is None else f"{self.table}.{self.column}"
        if self.rows is None:
            return f"{what}: rows that this role may not see"
        more = " or more" if self.rows >= ENOUGH else ""
        return f"{what}: {self.rows}{more} row{'' if self.rows == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class _Dropped:
    schema: str | None
    table: str
    column: str | None = None

    @property
    def name(self) -> str:
        return ".".join(quoted(part) for part in (self.schema, self.table) if part)

    @property
    def shown(self) -> str:
        return ".".join(part for part in (self.schema, self.table) if part)


def require_no_losses(connection: Connection[Any], plan: Plan) -> None:
    """Nothing, when no table or column that the plan drops holds anything.

    Raises WouldDestroyData (AIG-G003) with the list.
    """
    found = losses(connection, [part for one in plan.migrations if (part := one.down)])
    if found:
        first = next(iter(found.values()))
        raise WouldDestroyData(
            f"Rolling back {', '.join(migration.label for migration in plan.migrations)} would destroy data.",
            place=first.source.place(first.start),
            detail="\n".join(map(str, found)),
            hint="Make a backup, then run this again with --yes.",
        )


def losses(connection: Connection[Any], parts: Iterable[Part]) -> dict[Loss, Part]:
    """What these parts would drop that holds something, in order, and which is the first to drop it."""
    dropped: dict[_Dropped, Part] = {}
    for part in parts:
        for drop in _drops(connection, part):
            dropped.setdefault(drop, part)
    names = {"names": list({drop.name for drop in dropped})}
    # One question instead of two for each table, of which most were never filled or are gone already.
    empty = {row[0] for row in connection.execute(query("migrate/empty"), names).fetchall()}
    found = ((_loss(connection, drop), part) for drop, part in dropped.items() if drop.name not in empty)
    return {loss: part for loss, part in found if loss is not None}


def _loss(connection: Connection[Any], drop: _Dropped) -> Loss | None:
    condition = sql.SQL("true")
    if drop.column is not None:
        if not _yes(connection, "migrate/column", {"table": drop.name, "column": drop.column}):
            return None
        condition = sql.SQL("{} is not null").format(sql.Identifier(drop.column))  # type: ignore[assignment]
    names = [part for part in (drop.schema, drop.table) if part]
    counting = sql.SQL(query("migrate/rows")).format(
        table=sql.Identifier(*names), column=condition, limit=sql.Literal(ENOUGH)
    )
    try:
        row = connection.execute(counting).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return Loss(drop.shown, drop.column, None)
    except psycopg.errors.WrongObjectType:
        return None
    return Loss(drop.shown, drop.column, row[0]) if row is not None and row[0] else None


def _drops(connection: Connection[Any], part: Part) -> Iterator[_Dropped]:
    from aigym_db.project.parse import parse_part

    for statement in parse_part(part.source, part.start, part.end):
        tree = statement.tree
        match statement.kind:
            case "DropStmt" if tree.removeType.name == "OBJECT_TABLE":
                yield from (_table([name.sval for name in names]) for names in tree.objects)
            case "DropStmt" if tree.removeType.name == "OBJECT_SCHEMA":
                for name in tree.objects:
                    parameters = {"schema": quoted(name.sval)}
                    rows = connection.execute(query("migrate/tables"), parameters).fetchall()
                    yield from (_Dropped(name.sval, row[0]) for row in rows)
            case "TruncateStmt":
                yield from (_Dropped(relation.schemaname, relation.relname) for relation in tree.relations)
            case "AlterTableStmt":
                for command in tree.cmds:
                    if command.subtype.name == "AT_DropColumn":
                        yield _Dropped(tree.relation.schemaname, tree.relation.relname, command.name)


def _table(names: list[str]) -> _Dropped:
    return _Dropped(names[-2] if len(names) > 1 else None, names[-1])


def _yes(connection: Connection[Any], name: str, parameters: dict[str, str]) -> bool:
    row = connection.execute(query(name), parameters).fetchone()
    return row is not None and bool(row[0])

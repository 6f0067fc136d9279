"""What a rollback would take with it: rows, values, and what nobody can look into."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from aigym_db.database.queries import query
from aigym_db.errors import DataLoss
from aigym_db.migrate.data_loss.address import Address
from aigym_db.migrate.data_loss.destructive_statements import (
    OF_NOW,
    AffectedRows,
    Call,
    DroppedObject,
    UnreadableCode,
)
from aigym_db.migrate.data_loss.renames import CurrentName
from aigym_db.migrate.data_loss.scan import DestructiveStatement, Setting, by_setting
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Part, Plan
from aigym_db.model.source import Place
from aigym_db.syntax.quote import quoted

ENOUGH = 10_000
"""Beyond this many rows nobody needs the exact number, and counting it would take long."""
LONGEST_MS = 5_000
"""How long one count may take: looking for rows that are not there reads the whole table."""

HARMLESS = frozenset(
    [
        "clock_timestamp",
        "currval",
        "gen_random_uuid",
        "nextval",
        "pg_advisory_xact_lock",
        "pg_advisory_xact_lock_shared",
        "pg_notify",
        "pg_sleep",
        "random",
        "set_config",
        "setval",
        "timeofday",
        "uuidv4",
        "uuidv7",
    ]
)
"""Functions of PostgreSQL's own that are volatile and take no rows with them."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a statement would take with it, and how much."""

    what: str
    rows: int | None
    """No more than `ENOUGH` are counted; None when nobody knows, and `why` says why not."""
    does: str = ""
    why: str = ""

    def __str__(self) -> str:
        if self.rows is None:
            return f"{self.what}: {self.why}" if self.why else self.what
        more = " or more" if self.rows >= ENOUGH else ""
        does = f" {self.does}" if self.does else ""
        return f"{self.what}: {self.rows}{more} row{'' if self.rows == 1 else 's'}{does}"


def require_no_losses(connection: Connection[Any], plan: Plan, owner: str | None = None) -> None:
    """Nothing, when what the plan undoes holds no data and can be looked into.

    Raises DataLoss (AIG-G003) with the list, and with the plan it speaks of.
    """
    found = losses(connection, [part for one in plan.migrations if (part := one.down)], owner)
    if found:
        unseen = all(loss.rows is None and not loss.why for loss in found)
        refusal = DataLoss(
            f"Rolling back {', '.join(migration.label for migration in plan.migrations)} "
            f"{'may' if unseen else 'would'} destroy data.",
            place=next(iter(found.values())),
            detail="\n".join(map(str, found)),
            hint="Make a backup, then run this again with --yes.",
        )
        refusal.plan = plan
        raise refusal


def losses(connection: Connection[Any], parts: Iterable[Part], owner: str | None = None) -> dict[Loss, Place]:
    """What these parts would take with them, in order, and the statement that is the first to do so.

    `owner` is the role that parts act as which do not name one: what it may see is counted. Nothing is
    locked for longer than a count, no count takes longer than `LONGEST_MS`, and nothing is changed.
    """
    lost: dict[Loss, Place] = {}
    for setting, some in by_setting(parts, owner):
        with _as_it_will_be(connection, setting):
            for loss, step in _asked(connection, some):
                lost.setdefault(loss, step.place())
    return lost


@contextmanager
def _as_it_will_be(connection: Connection[Any], setting: Setting) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        connection.execute("set transaction read only")
        connection.execute(f"set local statement_timeout = {LONGEST_MS}".encode())
        if setting.role is not None:
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(setting.role)))
        if setting.path is not None:
            connection.execute(setting.path.encode())
        yield


def _asked(connection: Connection[Any], found: list[DestructiveStatement]) -> Iterator[tuple[Loss, Step]]:
    """What the server says of these, in order."""
    gone, missing = _gone(connection, found)
    harmless = _harmless(connection, [one.does.name for one in found if isinstance(one.does, Call)])
    for number, one in enumerate(found):
        match one.does:
            case DroppedObject():
                for loss in gone.get(number, ()):
                    yield loss, one.step
                if number in missing and number not in gone and not one.excused:
                    yield _not_there(one, one.does.name), one.step
            case AffectedRows():
                relation = _relation(connection, one.does.table)
                if relation is not None:
                    for loss in _rows(connection, one.does, relation):
                        yield loss, one.step
                elif not one.excused:
                    yield _not_there(one, one.does.table), one.step
            case UnreadableCode(what):
                yield Loss(f"{one.step.place()}: {what}", None), one.step
            case Call(name) if name.removeprefix("pg_catalog.") not in harmless:
                yield (
                    Loss(f"{one.step.place()}: {name}() runs code that nobody can look into here", None),
                    one.step,
                )


def _not_there(found: DestructiveStatement, name: CurrentName) -> Loss:
    return Loss(f"{found.step.place()}: {name} is not to be found now, so nobody can look into it here", None)


def _gone(
    connection: Connection[Any], found: list[DestructiveStatement]
) -> tuple[dict[int, list[Loss]], set[int]]:
    """What goes with the objects that are dropped, all asked in one question: most were never filled.

    And the numbers of those objects that are not there.
    """
    drops = {number: one.does for number, one in enumerate(found) if isinstance(one.does, DroppedObject)}
    wanted = [
        {
            "number": number,
            "kind": one.kind,
            "schema": one.name.schema,
            "name": one.name.name,
            "column": one.column,
            "cascade": one.cascade,
            **({} if one.address is None else _addressed(connection, one.address)),
        }
        for number, one in drops.items()
    ]
    adopted = [
        {
            "number": number,
            "by": one.by,
            "parent_schema": one.parent.schema,
            "parent": one.parent.name,
            "child_schema": one.child.schema,
            "child": one.child.name,
            "whole": one.whole,
        }
        for number in drops
        for one in found[number].adopted
    ]
    gone: dict[int, list[Loss]] = {}
    missing: set[int] = set()
    asked = {"wanted": json.dumps(wanted), "adopted": json.dumps(adopted)}
    rows = connection.execute(query("migrate/gone"), asked).fetchall() if wanted else []
    for number, kind, schema, name, column, reached in rows:
        if kind is None:
            missing.add(number)
            continue
        shown = str(CurrentName(None if schema == "public" else schema, name))
        what = shown if column is None else f"{shown}.{column}"
        by = drops[number].with_
        extra = f"lost with {by}" if by and by != what else ""
        loss: Loss | None
        if kind == "S":
            loss = (
                Loss(what, None, why=f"a sequence that has come to {reached}")
                if reached is not None
                else None
            )
        else:
            table = CurrentName(schema, name)
            condition = "" if column is None else f" where {quoted(column)} is not null"
            loss = _counted(connection, what, f"{table.quoted}{condition}", does=extra)
        if loss is not None:
            gone.setdefault(number, []).append(loss)
    return gone, missing


def _addressed(connection: Connection[Any], address: Address) -> dict[str, int]:
    """Where the catalogs hold an object; nothing when it is not there."""
    asked = {
        "kind": address.kind,
        "name": address.quoted,
        "names": list(address.names),
        "arguments": None if address.arguments is None else list(address.arguments),
    }
    try:
        with connection.transaction():
            row = connection.execute(query("migrate/address"), asked).fetchone()
    except psycopg.ProgrammingError:
        return {}
    return {} if row is None or row[1] is None else {"class": row[0], "object": row[1]}


def _relation(connection: Connection[Any], name: CurrentName) -> int | None:
    asked = {"schema": name.schema, "name": name.name}
    row = connection.execute(query("migrate/relation"), asked).fetchone()
    return None if row is None else int(row[0])


def _rows(connection: Connection[Any], rows: AffectedRows, table: int) -> Iterator[Loss]:
    types = {column: kind for column in rows.columns if (kind := _type(connection, table, column))}
    columns = list(types)
    if rows.columns and not columns:
        return
    what = f"{rows.table}.{', '.join(columns)}" if columns else str(rows.table)
    counting = rows.counting
    if rows.does == "changed":
        counting = counting.replace(OF_NOW, types[columns[0]])
    loss = _counted(connection, what, counting, rows.with_clause, _DOES[rows.does], rows.otherwise)
    if loss is None:
        return
    yield loss
    if rows.does in ("deleted", "emptied") and (rows.does == "deleted" or rows.cascade):
        asked = {"table": table, "truncates": rows.does == "emptied"}
        for schema, name, goes in connection.execute(query("migrate/referring"), asked).fetchall():
            why = f"rows that {'go' if goes else 'change'} with those of {rows.table}"
            shown = CurrentName(None if schema == "public" else schema, name)
            yield Loss(str(shown), None, why=why)


_DOES = {
    "emptied": "",
    "deleted": "deleted",
    "overwritten": "overwritten",
    "changed": "whose value does not survive the change of type",
}


def _counted(
    connection: Connection[Any],
    what: str,
    counting: str,
    clause: str = "",
    does: str = "",
    otherwise: str = "",
) -> Loss | None:
    """The rows that `counting` finds; None when there are none."""
    counted = query("migrate/rows").format(clause=clause, counting=counting, limit=ENOUGH)
    try:
        with connection.transaction():
            row = connection.execute(counted.encode()).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return Loss(what, None, why="rows that this role may not see")
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        return Loss(what, None, why=f"rows that could not be counted in {LONGEST_MS / 1000:g} s")
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) and connection.closed:
            raise
        if otherwise:
            return _counted(connection, what, otherwise, does=does)
        said = error.diag.message_primary or "no reason given"
        return Loss(what, None, why=f"rows that cannot be counted before ({said})")
    return Loss(what, row[0], does) if row is not None and row[0] else None


def _harmless(connection: Connection[Any], names: list[str]) -> frozenset[str]:
    plain = {name.removeprefix("pg_catalog.") for name in names}
    asked = sorted(name for name in plain - HARMLESS if "." not in name)
    rows = connection.execute(query("migrate/harmless"), {"names": asked}).fetchall() if asked else []
    return HARMLESS | {row[0] for row in rows}


def _type(connection: Connection[Any], table: int, column: str) -> str:
    row = connection.execute(query("migrate/column_type"), {"table": table, "column": column}).fetchone()
    return "" if row is None else str(row[0])

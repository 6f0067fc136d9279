"""Load a seed set into a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from aigym_db.database.failure import explain_error
from aigym_db.database.ledger import marked_production
from aigym_db.errors import ProductionGuard
from aigym_db.model.source import Source
from aigym_db.seeds.plan import ALLOWED_IN_PRODUCTION


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded file of a seed set."""

    file: str
    rows_written: int
    """Rows that its statements inserted, updated or deleted; 0 if all existed already."""


def load(
    connection: Connection[Any], name: str, files: tuple[Source, ...], owner: str | None = None
) -> tuple[Loaded, ...]:
    """Execute the files of the seed set `name` in one transaction, and return the result of each.

    They run as the role `owner`; as the connecting role if it is None.

    Raise ProductionGuard (AIG-G002) if the database is marked as production and the set is not allowed there,
    StatementFailed (AIG-S002) with the place in the file if a statement fails or the role cannot be set. Then
    nothing is written.
    """
    if name not in ALLOWED_IN_PRODUCTION and marked_production(connection):
        raise ProductionGuard(
            f"The database {connection.info.dbname} is production; the seed set `{name}` contains test data.",
            hint="Choose another database, or load the set `reference`, which is allowed there.",
        )
    with connection.transaction():
        if owner is not None:
            _act_as(connection, name, owner)
        return tuple(_run(connection, file) for file in files)


def _act_as(connection: Connection[Any], name: str, owner: str) -> None:
    try:
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(owner)))
    except psycopg.Error as error:
        raise explain_error(error, doing=f"seeds/{name} was not loaded").amended(
            hint=f"Run `aigym-db migrate` first, or connect as a role that may act as {owner}."
        ) from error


def _run(connection: Connection[Any], file: Source) -> Loaded:
    try:
        cursor = connection.execute(file.text.encode())
    except psycopg.Error as error:
        position = error.diag.statement_position
        place = file.place(int(position) - 1) if position else file.place(0)
        raise explain_error(error, place=place, doing=f"{file.file} was not loaded") from error
    rows = 0
    for result in cursor.results():
        command = result.statusmessage or ""
        rows += (
            max(result.rowcount, 0)
            if command.startswith(("INSERT", "UPDATE", "DELETE", "MERGE", "COPY"))
            else 0
        )
    return Loaded(file.file, rows)

"""Execute SQL files on a scratch database: in order, as the owner, without ledger or runner lock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
from psycopg import errors

from aigym_db.database.catalog import snapshot
from aigym_db.database.failure import explain_error
from aigym_db.database.migration_session import Connection, open_session
from aigym_db.database.servers.databases import temporary_database
from aigym_db.database.servers.server import Server, Throwaway
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import AigymError
from aigym_db.model.catalog import Catalog
from aigym_db.model.migration import Part
from aigym_db.model.script import Piece
from aigym_db.model.session import MigrationSession
from aigym_db.syntax.quote import quoted

OWNER_CREATED = "Created by aigym-db for a replay: it was needed before any file created it."
"""The comment of an owner role that a replay created."""


@contextmanager
def scratch(
    server: Server, session: MigrationSession, *, user: str | None = None, database_owner: str | None = None
) -> Iterator[Connection]:
    """Yield a session for files on a new, empty database, and drop the database at the end."""
    with (
        temporary_database(server, owner=database_owner) as database,
        open_session(server.dsn(database.name, user), session) as connection,
    ):
        yield connection


def create_owner(connection: Connection, owner: str) -> None:
    """Create the role and make it the owner of the connection's database, unless the role exists."""
    if _exists(connection, owner):
        return
    role, database = quoted(owner), quoted(connection.info.dbname)
    with connection.transaction():
        connection.execute("reset role")
        connection.execute(f"create role {role} nologin".encode())
        connection.execute(f"comment on role {role} is '{OWNER_CREATED}'".encode())
        connection.execute(f"alter database {database} owner to {role}".encode())


def creates_owner(catalog: Catalog) -> bool:
    """Return True if the owner in this catalog was created by a replay and not by a file."""
    return any(
        key.kind == "role" and facts.get("comment") == OWNER_CREATED for key, facts in catalog.facts.items()
    )


def replay(
    connection: Connection, parts: Iterable[Part], *, owner: str | None = None, first: str = ""
) -> None:
    """Execute each part according to its options, by default as `owner` and in one transaction.

    `first` is executed at the beginning of each transaction, as the role that connects.

    The owner is created when a statement first fails because it does not exist: in production an
    administrator may have created it. The connection must be in autocommit mode. Raise StatementFailed
    (AIG-S002) with the place in the source file if a statement fails.
    """
    for part in parts:
        _run(connection, part, None if part.role == "none" else part.role or owner, owner, first)


@contextmanager
def replayed(name: str, parts: tuple[Part, ...], session: MigrationSession) -> Iterator[Throwaway]:
    """Yield a throwaway server whose database `template` contains the result of `parts`.

    The result is cached per machine. Raise StatementFailed (AIG-S002) if a statement fails, ServerUnfit
    (AIG-G005) if the server cannot be started.
    """
    inputs = repr([session, *((part.text, part.transaction, part.role) for part in parts)])
    key = hashlib.sha256(inputs.encode()).hexdigest()

    def build(dsn: str) -> None:
        with open_session(dsn, session) as connection:
            replay(connection, parts, owner=session.owner)

    with throwaway(name, template_key=f"replayed {key}", build=build) as server:
        yield server


def built(
    server: Server, parts: Iterable[Part], session: MigrationSession, *, partition_schema: str | None = None
) -> Catalog:
    """Return the catalog of an empty database after executing `parts`.

    The catalog contains every role of the server, so the server must be new.
    """
    with scratch(server, session) as connection:
        replay(connection, parts, owner=session.owner)
        return snapshot(connection, partition_schema=partition_schema, all_roles=True)


def _run(connection: Connection, part: Part, role: str | None, owner: str | None, first: str) -> None:
    if not part.transaction:
        for step in _steps(part):
            with _placed(part, step):
                _with_owner(connection, owner, partial(_run_alone, connection, part, step, role))
        connection.execute("reset role")
        return
    try:
        _with_owner(connection, owner, partial(_run_together, connection, part, role, first))
    except psycopg.Error as error:
        # The error position is optional. Execute the statements one by one to find the failing one.
        with connection.transaction(force_rollback=True):
            _act_as(connection, role)
            for step in _steps(part):
                with _placed(part, step):
                    _execute(connection, part, step)
        raise _failed(error, part, part.start) from error


def _run_together(connection: Connection, part: Part, role: str | None, first: str) -> None:
    with connection.transaction():
        if first:
            connection.execute(first.encode())
        _act_as(connection, role)
        for piece in part.pieces():
            _execute(connection, part, piece)


def _run_alone(connection: Connection, part: Part, step: Piece, role: str | None) -> None:
    _act_as(connection, role, for_session=True)
    _execute(connection, part, step)


def _with_owner(connection: Connection, owner: str | None, execute: Callable[[], None]) -> None:
    """Call `execute`; if it fails because the owner does not exist, create the owner and call it again."""
    try:
        execute()
    except (errors.UndefinedObject, errors.InvalidParameterValue) as error:
        # PostgreSQL names the role: role "shop_owner" does not exist.
        if owner is None or f'"{owner}"' not in str(error) or _exists(connection, owner):
            raise
        create_owner(connection, owner)
        execute()


def _exists(connection: Connection, role: str) -> bool:
    row = connection.execute("select from pg_catalog.pg_roles where rolname = %s", [role]).fetchone()
    return row is not None


def _steps(part: Part) -> Iterator[Piece]:
    from pglast.parser import ParseError

    from aigym_db.syntax.parse import split_sql

    for piece in part.pieces():
        if piece.rows is not None or piece.instead is not None:
            yield piece
            continue
        text = part.source.text[piece.start : piece.end]
        try:
            slices = split_sql(text)
        except ParseError:
            slices = (slice(0, len(text)),)
        for statement in slices:
            yield Piece(piece.start + statement.start, piece.start + statement.stop)


def _execute(connection: Connection, part: Part, piece: Piece) -> None:
    text = part.source.text[piece.start : piece.end] if piece.instead is None else piece.instead
    if piece.rows is None:
        connection.execute(text.encode())
        return
    with connection.cursor() as cursor, cursor.copy(text.encode()) as copy:
        copy.write(part.source.text[piece.rows.start : piece.rows.end])


def _act_as(connection: Connection, role: str | None, *, for_session: bool = False) -> None:
    if role is not None:
        connection.execute("select set_config('role', %s, %s)", [role, not for_session])


@contextmanager
def _placed(part: Part, step: Piece) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise _failed(error, part, step.start) from error


def _failed(error: psycopg.Error, part: Part, start: int) -> AigymError:
    position = error.diag.statement_position
    return explain_error(
        error,
        place=part.source.place(start + int(position) - 1 if position else start),
        doing=part.source.file,
    )

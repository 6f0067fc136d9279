"""Sessions of people on a copy of the development database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from aigym_db.database.connect import connect
from tests.reference.conftest import seeded

Connection = psycopg.Connection[tuple[object, ...]]
SignIn = Callable[[str], Connection]

NORTHSIDE = "00000000-0000-4000-b000-000200000001"

HARBOUR = "00000000-0000-4000-b000-000200000003"


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """The DSN of a database on the server whose template has the development rows."""
    with seeded("reference", "development") as connection:
        dsn = connection.info.dsn
        connection.close()
        yield dsn


@pytest.fixture
def superuser(dsn: str) -> Iterator[Connection]:
    """A superuser's connection to a copy of the database."""
    with closing(connect(dsn, autocommit=True)) as administration:
        administration.execute("drop database if exists copy with (force)")
        administration.execute("create database copy template template")
    with closing(connect(psycopg.conninfo.make_conninfo(dsn, dbname="copy"), autocommit=True)) as connection:
        yield connection


@pytest.fixture
def sign_in(superuser: Connection) -> Iterator[SignIn]:
    """Return a session of a person with a second factor, named by the local part of the address."""
    with ExitStack() as opened:

        def session(name: str) -> Connection:
            connection = opened.enter_context(closing(connect(superuser.info.dsn, autocommit=True)))
            connection.execute("set role authenticated")
            connection.execute(
                "select set_config('request.jwt.claims', jsonb_build_object("
                "'sub', %s::text, 'role', 'authenticated', 'aal', 'aal2')::text, false)",
                [person(superuser, name)],
            )
            return connection

        yield session


def person(connection: Connection, name: str) -> object:
    row = connection.execute(
        "select id from iam.profiles where email = %s", [f"{name}@example.test"]
    ).fetchone()
    assert row is not None, name
    return row[0]


def value(connection: Connection, statement: str, *parameters: object) -> object:
    row = connection.execute(statement.encode(), parameters).fetchone()
    return row[0] if row else None


def owners(connection: Connection, tenant: str) -> object:
    return value(
        connection,
        "select count(*) from iam.user_roles as ur join iam.roles as r on r.id = ur.role_id "
        "join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id "
        "where ur.tenant_id = %s and r.code = 'owner' and ur.revoked_at is null and m.status = 'active'",
        tenant,
    )


def grant(connection: Connection, name: str, role: str, tenant: str) -> None:
    connection.execute(
        "insert into iam.user_roles (user_id, role_id, tenant_id) "
        "select %s, id, %s from iam.roles where code = %s",
        [person(connection, name), tenant, role],
    )


def invite(session: Connection, tenant: str, name: str, role: str = "member") -> object:
    return value(session, "select token from iam.invite(%s, %s, %s)", tenant, f"{name}@example.test", role)


LEAVE = "select iam.set_membership_status(%s, %s, 'terminated')"

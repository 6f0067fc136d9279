"""The API of the reference database, reached as PostgREST does: one transaction, a role, claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aigym_db.access.matrix import read_matrix
from tests.reference.conftest import PROJECT, ReferenceDatabase

MATRIX = read_matrix(PROJECT.root)
Connection = psycopg.Connection[tuple[Any, ...]]
Request = Callable[[str], AbstractContextManager[Connection]]


@pytest.fixture(scope="module")
def database(base: ReferenceDatabase) -> Iterator[str]:
    """The DSN of the test database, as superuser."""
    with base.database() as dsn:
        yield dsn


@pytest.fixture
def request_as(database: str) -> Request:
    """A function that sends a request as an actor, or as `anonymous`, and rolls it back."""

    @contextmanager
    def send(name: str) -> Iterator[Connection]:
        actor = MATRIX.actors[name]
        with psycopg.connect(make_conninfo(database, user="authenticator")) as connection:
            connection.execute(f"set local role {actor.role}".encode())
            claims = actor.claims_text
            connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
            yield connection
            connection.rollback()

    return send


def views(database: str) -> list[str]:
    """Every view of the API."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "select oid::regclass::text from pg_class where relnamespace = 'api_v1'::regnamespace order by 1"
        )
        return [name for (name,) in rows]


def test_every_view_can_be_read_by_a_member_and_none_but_languages_by_anonymous(
    database: str, request_as: Request
) -> None:
    readable: dict[str, list[str]] = {"member": [], "anonymous": []}
    names = views(database)
    for actor, of_actor in readable.items():
        for name in names:
            with request_as(actor) as connection:
                try:
                    connection.execute(f"select * from {name}".encode()).fetchall()
                except psycopg.errors.InsufficientPrivilege:
                    continue
                of_actor.append(name)

    assert len(names) > 15
    assert readable == {"member": names, "anonymous": ["api_v1.languages"]}


def test_a_view_shows_what_its_tables_show(database: str, request_as: Request) -> None:
    pairs = {
        "select id from api_v1.people": "select id from iam.profiles",
        "select id from api_v1.documents": "select item_id from content.documents",
        "select id from api_v1.conversations": "select id from ai.conversations",
        "select id from api_v1.my_tenants": "select tenant_id from iam.memberships "
        "where user_id = (select auth.uid()) and tenant_id in (select id from iam.tenants)",
    }
    shown = 0
    for actor in ("member", "community_admin", "super_admin", "stranger"):
        for view, table in pairs.items():
            with request_as(actor) as connection:
                from_view = set(connection.execute(view.encode()).fetchall())
                from_table = set(connection.execute(table.encode()).fetchall())
            assert from_view == from_table, (actor, view)
            shown += len(from_view)

    assert shown > 20


def test_without_a_request_the_login_role_reads_nothing(database: str) -> None:
    with (
        psycopg.connect(make_conninfo(database, user="authenticator")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("select * from api_v1.people")


def test_a_function_of_the_api_passes_a_request_to_the_function_of_its_domain(request_as: Request) -> None:
    invite = "select invitation_id, token from api_v1.invite(%s, 'someone@example.test')"
    events_of = "select from api_v1.security_events(tenant => %s) where event = 'invitation.created'"
    tenant = MATRIX.actor_list.people["a"]
    with request_as("community_admin") as connection:
        connection.execute("savepoint request")
        invited = connection.execute(invite, [tenant]).fetchall()
        events = connection.execute(events_of, [tenant]).fetchall()
    with request_as("member") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(invite, [tenant])

    assert len(invited) == 1
    assert events

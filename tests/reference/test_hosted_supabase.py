"""The reference database on hosted Supabase: installed by a role with the privileges of its `postgres`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from aigym_db.access import test_database as base
from aigym_db.access.calls import call_trial
from aigym_db.access.findings import coverage_gaps, differing_calls, differing_cells
from aigym_db.access.matrix import read_matrix
from aigym_db.access.test_database import FILLED, FIXTURE, REFERENCE
from aigym_db.access.trial import trial
from aigym_db.access.trigger_differences import trigger_differences
from aigym_db.database import ledger
from aigym_db.database.connect import connect
from aigym_db.database.servers.binaries import available
from aigym_db.database.servers.server import Server
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback
from aigym_db.project.config import find
from aigym_db.project.migrations import migrations
from tests.support.supabase import HOSTED, hosted_database

PROJECT = find(Path(__file__).parents[2])
FILES = migrations(PROJECT)
ONE = "00000000-0000-4000-8000-00000000a003"
"""A member of a tenant in seeds/test."""


SERVERS = os.environ.get("AIGYM_DB_TEST_SERVERS", "embedded embedded:16 system:15").split()


def _servers() -> list[Any]:
    """The first server in every run, the others in the exhaustive one."""
    return [
        pytest.param(name, marks=[pytest.mark.exhaustive] if number else [])
        for number, name in enumerate(SERVERS)
    ]


@pytest.fixture(scope="module", params=_servers())
def hosted(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server whose database `FILLED` was installed by `HOSTED`: up, down and up, with the rows of seeds."""
    if request.param.partition(":")[0] in ("embedded", "system") and request.param not in (
        "embedded",
        *available(),
    ):
        pytest.skip(f"{request.param} is not installed")
    options = Options.of(PROJECT, frozenset(migration.version for migration in FILES))
    with throwaway(request.param) as server:
        dsn = hosted_database(server, FILLED)
        migrate(dsn, FILES, options=options)
        rollback(dsn, FILES, to=0, yes=True, options=options)
        migrate(dsn, FILES, options=options)
        with closing(connect(server.dsn(FILLED), autocommit=True)) as connection:
            for folder in (REFERENCE, FIXTURE):
                for path in sorted((PROJECT.root / folder).glob("*.sql")):
                    with connection.transaction():
                        connection.execute(path.read_bytes())
            connection.execute("analyze")
        yield server


def test_every_migration_is_applied_by_a_role_that_is_no_superuser(hosted: Server) -> None:
    with closing(connect(hosted.dsn(FILLED), autocommit=True)) as connection:
        applied = [(row.version, row.applied_by) for row in ledger.applied(connection)]

    assert applied == [(migration.version, HOSTED) for migration in FILES]


def test_auth_is_left_to_its_owner(hosted: Server) -> None:
    with closing(connect(hosted.dsn(FILLED), autocommit=True)) as connection:
        owners = connection.execute(
            "select distinct relowner::regrole::text from pg_class where relnamespace = 'auth'::regnamespace"
        ).fetchall()
        functions = connection.execute(
            "select distinct proowner::regrole::text from pg_trigger join pg_proc on pg_proc.oid = tgfoid"
            " where tgrelid in ('auth.users'::regclass, 'auth.mfa_factors'::regclass) and not tgisinternal"
        ).fetchall()

    assert (owners, functions) == ([("supabase_auth_admin",)], [("aigym_owner",)])


def test_the_authentication_server_signs_people_up(hosted: Server) -> None:
    account = uuid4()
    with (
        closing(connect(hosted.dsn(FILLED), autocommit=True)) as connection,
        connection.transaction(force_rollback=True),
    ):
        connection.execute("set local row_security = on")
        connection.execute("set local session authorization supabase_auth_admin")
        connection.execute("insert into auth.users (id, email) values (%s, 'new@example.test')", [account])
        connection.execute("update auth.users set email = 'moved@example.test' where id = %s", [account])
        connection.execute(
            "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
            " values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())",
            [account],
        )
        connection.execute("set local session authorization default")
        rows = connection.execute(
            "select p.email, (select count(*) from audit.security_audit as e where e.user_id = p.id),"
            " (select count(*) from iam.account_failures as f where f.user_id = p.id)"
            " from iam.profiles as p where p.id = %s",
            [account],
        ).fetchall()

    assert rows == [("moved@example.test", 1, 0)]


def request_as(connection: psycopg.Connection[tuple[Any, ...]], role: str, **claims: str) -> None:
    """Begin the transaction of a request as PostgREST does."""
    connection.execute(
        "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true),"
        " set_config('request.method', 'GET', true)",
        [role, json.dumps({"role": role, **claims})],
    )


def test_requests_arrive_as_postgrest_sends_them(hosted: Server) -> None:
    with psycopg.connect(hosted.dsn(FILLED, "authenticator")) as connection:
        with connection.transaction(force_rollback=True):
            request_as(connection, "authenticated", sub=ONE, aal="aal1")
            names = connection.execute("select count(*) from api_v1.people").fetchone()
            conversation = connection.execute(
                "insert into ai.conversations (title) values ('Plans') returning id, user_id::text"
            ).fetchone()
            assert conversation
            number = connection.execute(
                "select ai.append_message(%s, 'Hello.')", [conversation[0]]
            ).fetchone()
        with connection.transaction(force_rollback=True), pytest.raises(psycopg.errors.InsufficientPrivilege):
            request_as(connection, "anon")
            connection.execute("select from iam.profiles")

    assert names and names[0] > 1
    assert (conversation[1], number) == (ONE, (1,))


@pytest.mark.exhaustive
def test_the_access_matrix_matches(hosted: Server) -> None:
    matrix = read_matrix(PROJECT.root)
    place = base.TestDatabase(hosted)
    with place.connection() as first, place.connection() as second:
        tried = trial([first, second], matrix)
        results = tried.run()
        outcomes = tried.outcomes(results)
        calls = call_trial([first, second], matrix).outcomes()

        assert outcomes and calls
        assert [finding.message for finding in differing_cells(outcomes)] == []
        assert [finding.message for finding in differing_calls(calls)] == []
        assert [finding.message for finding in trigger_differences(tried, results, outcomes)] == []
        assert [finding.message for finding in coverage_gaps(tried)] == []

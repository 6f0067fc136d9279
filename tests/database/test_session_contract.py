"""Settings of a session as the server reports them, and the errors if no connection is possible."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import aigym_db
from aigym_db.database.connect import SessionSettings, connect
from aigym_db.database.migration_session import open_session
from aigym_db.database.queries import query, row_without_jit
from aigym_db.database.servers.databases import Database
from aigym_db.database.servers.local import LocalServer
from aigym_db.database.servers.server import Throwaway
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import BehindPooler, CannotConnect, ServerUnfit
from aigym_db.model.session import MigrationSession

SECRET = "s3cr3tword"

CONTRACT = {
    "row_security": "off",
    "search_path": "pg_catalog",
    "lock_timeout": "2s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "1min",
    "idle_session_timeout": "0",
    "client_connection_check_interval": "1s",
    "application_name": "aigym-db",
}

OWN = {
    "client_min_messages": ("error", "notice"),
    "default_transaction_isolation": ("serializable", "read committed"),
    "default_transaction_deferrable": ("on", "off"),
    "check_function_bodies": ("off", "on"),
    "transform_null_equals": ("on", "off"),
    "xmloption": ("document", "content"),
    "transaction_timeout": ("1h", "0"),
    "DateStyle": ("SQL, DMY", "ISO, MDY"),
    "IntervalStyle": ("sql_standard", "postgres"),
}
"""Settings of a database, and the values that apply in spite of them."""

CLIENT = """
from aigym_db.database.connect import connect
connection = connect({dsn!r})
connection.execute("select pg_advisory_lock(1)")
connection.pgconn.send_query(b"select pg_sleep(600)")
connection.pgconn.flush()
print("sent", flush=True)
input()
"""


def setting(connection: psycopg.Connection, name: str) -> str:
    values = connection.execute("select current_setting(%s)", [name]).fetchone()
    assert values is not None
    return str(values[0])


@pytest.mark.parametrize(("name", "value"), CONTRACT.items())
def test_the_server_reports_the_settings(database: str, name: str, value: str) -> None:
    with connect(database) as connection:
        assert setting(connection, name) == value


@pytest.mark.parametrize(("name", "value"), CONTRACT.items())
def test_the_settings_survive_discard_all(database: str, name: str, value: str) -> None:
    with connect(database, autocommit=True) as connection:
        connection.execute("discard all")

        assert setting(connection, name) == value


def test_the_settings_of_a_session_can_be_specified(database: str) -> None:
    wanted = SessionSettings(
        lock_timeout_ms=150, statement_timeout_ms=90_000, search_path='pg_catalog, "my schema"'
    )

    with connect(database, session=wanted) as connection:
        assert setting(connection, "lock_timeout") == "150ms"
        assert setting(connection, "statement_timeout") == "90s"
        assert setting(connection, "search_path") == 'pg_catalog, "my schema"'


def test_a_session_runs_as_the_specified_role(database: str, server) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute('drop role if exists "the owner"')
        connection.execute('create role "the owner"')

    with connect(database, session=SessionSettings(role="the owner"), autocommit=True) as connection:
        connection.execute("reset role")
        values = connection.execute("select current_user, session_user").fetchone()

    assert values == ("the owner", "postgres")


@pytest.mark.parametrize("more", ["", "&options=-c%20role%3Dcontract_owner"])
def test_a_session_without_a_role_runs_as_its_user(database: str, server, more: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(
            "create role contract_owner; create role contract_deploy login in role contract_owner"
        )
        connection.execute("alter role contract_deploy set role = contract_owner")
    try:
        with connect(f"{database}&user=contract_deploy{more}", autocommit=True) as connection:
            connection.execute("reset role")
            values = connection.execute("select current_user, session_user").fetchone()
    finally:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("drop role contract_deploy; drop role contract_owner")

    assert values == ("contract_deploy", "contract_deploy")


@pytest.mark.parametrize(("name", "own", "value"), [(name, *values) for name, values in OWN.items()])
def test_the_settings_of_a_database_do_not_apply(database: str, name: str, own: str, value: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"alter database {connection.info.dbname} set {name} = '{own}'".encode())

    with connect(database, autocommit=True) as connection:
        connection.execute("discard all")

        assert setting(connection, name) == value
        assert connection.execute("select from pg_settings where source = 'session'").fetchone() is None


@pytest.fixture(scope="module")
def durable() -> Iterator[Throwaway]:
    """A server with fsync on and synchronous_commit off."""
    with throwaway(settings={"fsync": "on"}) as running:
        yield running


@pytest.mark.parametrize(
    ("own", "value"), [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")]
)
def test_synchronous_commit_is_at_least_the_setting_of_the_database(durable, own: str, value: str) -> None:
    with psycopg.connect(durable.dsn(), autocommit=True) as connection:
        connection.execute(f"alter database postgres set synchronous_commit = {own}".encode())

    with connect(durable.dsn(), autocommit=True) as connection:
        connection.execute("discard all")

        assert setting(connection, "synchronous_commit") == value


def test_a_session_in_which_triggers_do_not_run_is_rejected(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            f"alter database {connection.info.dbname} set session_replication_role = replica".encode()
        )

    with pytest.raises(ServerUnfit) as raised:
        connect(database)

    assert "session_replication_role is replica" in raised.value.message
    assert raised.value.hint.startswith("Reset it")


def test_a_server_detects_a_lost_client_by_tcp_keepalives(
    local_server: LocalServer,
) -> None:
    local_server.start()

    with connect(local_server.tcp_url()) as connection:
        values = [
            setting(connection, name)
            for name in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
        ]
        assert values == ["30", "10", "3"]
        assert setting(connection, "tcp_user_timeout") == "60000"


def test_options_of_the_connection_string_are_kept_and_the_settings_override_them(database: str) -> None:
    dsn = f"{database}&options=-c%20geqo%3Doff%20-c%20row_security%3Don"

    with connect(dsn) as connection:
        assert setting(connection, "geqo") == "off"
        assert setting(connection, "row_security") == "off"


def test_options_of_the_environment_are_kept(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c geqo=off")

    with connect(database) as connection:
        assert setting(connection, "geqo") == "off"
        assert setting(connection, "row_security") == "off"


def test_a_new_connection_is_idle(database: str) -> None:
    with connect(database) as connection:
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.autocommit is False


def test_no_statement_is_prepared_implicitly(database: str) -> None:
    with connect(database, autocommit=True) as connection:
        [connection.execute("select 1 where %s", [True]) for _ in range(10)]

        assert connection.execute("select count(*) from pg_prepared_statements").fetchone() == (0,)


def test_an_unreachable_server_has_a_hint_to_start_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(CannotConnect) as raised:
        connect(f"postgresql://deploy:{SECRET}@127.0.0.1:{port}/app")

    assert raised.value.message == f'No connection to database "app" on 127.0.0.1:{port} as deploy.'
    assert raised.value.hint.startswith("Start the server")
    assert SECRET not in raised.value.detail


@pytest.mark.parametrize(
    ("query", "session", "hint"),
    [
        ("dbname=no_such_database", SessionSettings(), "Create the database"),
        ("user=no_such_role", SessionSettings(), "Correct the user"),
        ("port=1", SessionSettings(), "Start the server"),
        ("user=postgres", SessionSettings(role="no_such_role"), "Create the role of the session"),
        ("service=no_such_service", SessionSettings(), "Correct the name of the service"),
    ],
)
def test_a_missing_object_is_named_with_a_hint(
    server, query: str, session: SessionSettings, hint: str
) -> None:
    with pytest.raises(CannotConnect) as raised:
        connect(f"{server.dsn()}&{query}&password={SECRET}", session=session)

    assert raised.value.hint.startswith(hint)
    assert "no_such" in raised.value.detail or "port=1" in query
    assert SECRET not in f"{raised.value.message}{raised.value.detail}{raised.value.hint}"


def test_a_wrong_password_is_reported_and_not_repeated(local_server: LocalServer) -> None:
    port = local_server.start().port

    with pytest.raises(CannotConnect) as raised:
        connect(f"postgresql://postgres:{SECRET}@127.0.0.1:{port}/postgres")

    assert raised.value.hint.startswith("Check the user and its password")
    assert SECRET not in f"{raised.value.message}{raised.value.detail}"


def test_a_proxy_that_changes_nothing_is_accepted(proxied: Callable[[str], str]) -> None:
    with connect(proxied("nothing")) as connection:
        assert setting(connection, "row_security") == "off"


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("drop options", "row_security is on, not off"),
        ("another pid", "backend_pid is"),
        ("reject options", "unsupported startup parameter"),
    ],
)
def test_a_pooler_is_rejected(proxied: Callable[[str], str], fault: str, detail: str) -> None:
    with pytest.raises(BehindPooler) as raised:
        connect(proxied(fault))

    assert detail in raised.value.detail
    assert raised.value.hint.startswith("Connect to PostgreSQL itself")
    assert "127.0.0.1" in raised.value.message


def test_the_statement_and_locks_of_a_killed_client_end(
    database: str, another_python: Callable[[str], subprocess.Popen[str]]
) -> None:
    client = another_python(CLIENT.format(dsn=database))
    assert client.stdout is not None
    client.stdout.readline()
    client.kill()
    client.wait()

    with psycopg.connect(database, autocommit=True, options="-c lock_timeout=10s") as waiting:
        values = waiting.execute("select pg_advisory_lock(1)").fetchone()

    assert values == ("",)


@pytest.mark.parametrize("supported", [(15, 16, 17), (19,)])
def test_a_server_of_another_version_is_rejected(
    database: str, monkeypatch: pytest.MonkeyPatch, supported: tuple[int, ...]
) -> None:
    monkeypatch.setattr("aigym_db.database.connect.SUPPORTED", supported)

    with pytest.raises(ServerUnfit, match="PostgreSQL 18 is not supported: database") as error:
        connect(database)

    assert error.value.hint == f"Use PostgreSQL {supported[0]} to {supported[-1]}."


def test_a_server_without_the_settings_is_rejected_by_its_version(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SessionSettings.settings
    unknown = {"setting_of_a_newer_server": "on"}
    monkeypatch.setattr("aigym_db.database.connect.SUPPORTED", (15,))
    monkeypatch.setattr(SessionSettings, "settings", lambda session: settings(session) | unknown)

    with pytest.raises(ServerUnfit, match="PostgreSQL 18 is not supported"):
        connect(database)


def test_every_connection_to_a_database_of_the_user_is_opened_by_connect() -> None:
    package = Path(aigym_db.__file__).parent
    own_servers = {
        f"database/{name}.py"
        for name in ("connect", "servers/container", "servers/databases", "servers/local")
    }
    opening = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "psycopg.connect(" in path.read_text(encoding="utf-8")
    }

    assert opening - own_servers <= {"cli/local.py"}


@pytest.mark.parametrize("jit", ["on", "off"])
def test_the_package_queries_without_jit_and_files_keep_the_setting(created: Database, jit: str) -> None:
    with psycopg.connect(created.dsn, autocommit=True) as connection:
        connection.execute(f"alter database {created.name} set jit = {jit}".encode())

    with connect(created.dsn) as own, open_session(created.dsn, MigrationSession()) as session:
        assert setting(own, "jit") == "off"
        assert setting(session, "jit") == jit


def test_a_query_of_the_package_in_a_session_for_files_runs_without_jit(database: str) -> None:
    with open_session(database, MigrationSession()) as session:
        session.execute("set jit = on")
        columns = session.execute(query("connect/session")).description or []
        jit = [column.name for column in columns].index("jit")

        row = row_without_jit(session, "connect/session", {})

        assert row is not None
        assert row[jit] == "off"
        assert setting(session, "jit") == "on"

"""PgBouncer is detected and rejected with an explanation; no state remains on the server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.dsn import parameters
from aigym_db.database.servers.account import account
from aigym_db.database.servers.installed import InstalledThrowaway
from tests.support.waiting import PROCESS_TIMEOUT_S, wait_until

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="PgBouncer is not installed"
)

CONFIGURATION = """
[databases]
* = host={server} port={port} user=postgres
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
{more}
"""


@pytest.fixture
def pooled(server: InstalledThrowaway, database: str) -> Iterator[Callable[..., str]]:
    """Start PgBouncer in front of the server and return the DSN of the fresh database through it."""
    assert PROGRAM is not None, "CI has to install PgBouncer"
    owner = account()
    folder = Path(tempfile.mkdtemp(prefix="aigym-pooler-"))
    owner.give(folder)
    started: list[subprocess.Popen[bytes]] = []

    def through(mode: str, more: str = "") -> str:
        text = CONFIGURATION.format(
            server=server.socket_folder, port=server.port, folder=folder, mode=mode, more=more
        )
        (folder / "pgbouncer.ini").write_text(text, encoding="utf-8")
        options = owner.popen_options()
        started.append(
            subprocess.Popen(
                [PROGRAM, str(folder / "pgbouncer.ini")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **options,  # type: ignore[call-overload]
            )
        )
        listening = (folder / ".s.PGSQL.6432").exists
        wait_until(lambda: listening() or started[0].poll() is not None, "PgBouncer listens")
        assert started[0].poll() is None, "PgBouncer did not start"
        return f"postgresql://postgres@/{parameters(database)['dbname']}?host={folder}&port=6432"

    yield through
    for popen in started:
        popen.terminate()
        popen.wait(PROCESS_TIMEOUT_S)
    shutil.rmtree(folder)


@pytest.fixture
def line(project):
    """A project with one valid migration."""
    project.migration("0001_table", "create table a (x int);")
    return project


DROPPED = "ignore_startup_parameters = options"
"""PgBouncer accepts the session settings and does not forward them."""


@pytest.mark.promise(
    "behind PgBouncer in transaction mode: orphan locks, leaked search_path, hangs",
)
@pytest.mark.parametrize(
    ("more", "why"),
    [("", "unsupported startup parameter"), (DROPPED, "row_security is on, not off")],
    ids=["startup options rejected", "startup options dropped silently"],
)
@pytest.mark.parametrize("mode", ["transaction", "statement", "session"])
@pytest.mark.parametrize("command", [("migrate",), ("rollback",)], ids=" ".join)
def test_changes_through_pgbouncer_are_rejected_and_no_state_remains(
    line, pooled, other, command, mode: str, more: str, why: str
) -> None:
    dsn = pooled(mode, more)

    seen = line.run(*command, dsn=dsn)

    assert seen.status == 3
    assert "error AIG-G006 Database " in seen.out
    assert "is behind a connection pooler; aigym-db requires a dedicated server session." in seen.out
    assert why in seen.out
    assert "  hint: Connect to PostgreSQL itself, on its own port (often 5432), and not through" in seen.out
    assert other.one("select to_regclass('aigym_db.event') is null and to_regclass('a') is null")
    assert other.all("select pid from pg_locks where locktype = 'advisory'") == []


def test_session_settings_do_not_leak_to_the_next_client_of_a_pooled_session(line, pooled) -> None:
    dsn = pooled("transaction", DROPPED)
    line.run("migrate", dsn=dsn)

    with psycopg.connect(dsn, autocommit=True) as next_client:
        settings = next_client.execute(
            "select current_setting('search_path'), current_setting('row_security'), "
            "current_setting('lock_timeout'), current_user::text"
        ).fetchone()

    assert settings == ('"$user", public', "on", "0", "postgres")


@pytest.mark.parametrize("mode", ["transaction", "statement", "session"])
def test_a_pooler_with_matching_settings_is_detected_by_the_backend_pid(
    line, pooled, other, server, mode: str
) -> None:
    # The database has the same settings as the client: only the process id reveals the pooler.
    dsn = pooled(mode, DROPPED)
    settings = {
        "row_security": "off",
        "search_path": "public",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "60s",
        "client_connection_check_interval": "1s",
        "TimeZone": "UTC",
    }
    for name, value in settings.items():
        other.execute(f"alter database {other.info.dbname} set {name} = '{value}'".encode())

    seen = line.run("migrate", dsn=dsn)

    assert seen.status == 3
    (detail,) = [line for line in seen.out.splitlines() if " is " in line and ", not " in line]
    assert "backend_pid is " in detail
    assert other.one("select to_regclass('aigym_db.event') is null")


def test_a_direct_connection_beside_the_pooler_is_accepted(line, pooled, other) -> None:
    pooled("transaction")

    assert line.run("migrate").status == 0
    assert other.applied() == [1]

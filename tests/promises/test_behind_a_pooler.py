"""Behind PgBouncer: detected, refused with an explanation, and nothing left behind on the server."""

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
from aigym_db.database.servers import Throwaway
from aigym_db.database.servers.account import account
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
def pooled(server: Throwaway, database: str) -> Iterator[Callable[..., str]]:
    """Starts PgBouncer in front of the server, and gives the DSN of the fresh database through it."""
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
    """A project with a migration that would work."""
    project.migration("0001_table", "create table a (x int);")
    return project


DROPPED = "ignore_startup_parameters = options"
"""PgBouncer takes the session contract and keeps it to itself."""


@pytest.mark.promise(
    "behind PgBouncer in transaction mode: orphan locks, leaked search_path, hangs",
)
@pytest.mark.parametrize(
    ("more", "why"),
    [("", "unsupported startup parameter"), (DROPPED, "row_security is on, not off")],
    ids=["startup options refused", "startup options dropped silently"],
)
@pytest.mark.parametrize("mode", ["transaction", "statement", "session"])
@pytest.mark.parametrize("command", [("migrate",), ("rollback",)], ids=" ".join)
def test_behind_pgbouncer_every_change_is_refused_and_nothing_is_left_behind(
    line, pooled, other, command, mode: str, more: str, why: str
) -> None:
    dsn = pooled(mode, more)

    seen = line.run(*command, dsn=dsn)

    assert seen.status == 3
    assert "error AIG-G006 Database " in seen.out
    assert "is behind a connection pooler; aigym-db needs a session of its own." in seen.out
    assert why in seen.out
    assert "  hint: Connect to PostgreSQL itself, on its own port (often 5432), and not through" in seen.out
    assert other.one("select to_regclass('aigym_db.event') is null and to_regclass('a') is null")
    assert other.all("select pid from pg_locks where locktype = 'advisory'") == []


def test_what_we_asked_of_a_pooled_session_does_not_leak_to_who_has_it_next(line, pooled) -> None:
    dsn = pooled("transaction", DROPPED)
    line.run("migrate", dsn=dsn)

    with psycopg.connect(dsn, autocommit=True) as next_client:
        found = next_client.execute(
            "select current_setting('search_path'), current_setting('row_security'), "
            "current_setting('lock_timeout'), current_user::text"
        ).fetchone()

    assert found == ('"$user", public', "on", "0", "postgres")


@pytest.mark.parametrize("mode", ["transaction", "statement", "session"])
def test_a_pooler_that_lets_the_contract_pass_is_told_by_its_process_id(
    line, pooled, other, server, mode: str
) -> None:
    # As if every client and the server had been configured alike: nothing but the process id gives it away.
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


def test_beside_the_pooler_on_the_servers_own_port_it_works(line, pooled, other) -> None:
    pooled("transaction")

    assert line.run("migrate").status == 0
    assert other.applied() == [1]

"""The project's own server: durable, restartable, and started only once."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from aigym_db.database.servers.binaries import find
from aigym_db.database.servers.cleanup import gc, orphaned, remove_orphaned
from aigym_db.database.servers.local import LocalServer, local
from aigym_db.errors import ServerUnfit

STARTER = """
import sys
from pathlib import Path
from aigym_db.database.servers.local import local
sys.stdin.readline()
print(local(Path({folder!r})).start().dsn(), flush=True)
"""


def pid(server: LocalServer) -> int:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("select pg_backend_pid()").fetchone()
        assert row is not None
        parent = psutil.Process(row[0]).parent()
    assert parent is not None
    return int(parent.pid)


def home(server: LocalServer) -> Path:
    return server.folder / "server"


def test_the_server_does_not_run_before_its_start(local_server: LocalServer) -> None:
    before = local_server.running()
    local_server.start()
    after = local_server.running()

    assert (before, after) == (False, True)


def test_checking_for_a_running_server_creates_no_files(local_server: LocalServer) -> None:
    local_server.running()

    assert not local_server.folder.exists()


def test_a_second_start_has_no_effect(local_server: LocalServer) -> None:
    first = local_server.start()
    first_pid = pid(local_server)
    second = local_server.start()

    assert first == second
    assert pid(local_server) == first_pid


def test_two_concurrent_starts_return_the_same_server(
    local_server: LocalServer, another_python: Callable[[str], subprocess.Popen[str]]
) -> None:
    starters = [another_python(STARTER.format(folder=str(local_server.root))) for _ in range(3)]

    urls = {starter.communicate("go\n")[0].strip() for starter in starters}

    assert urls == {local_server.url()}


def test_the_server_outlives_the_command_that_started_it(
    local_server: LocalServer, another_python: Callable[[str], subprocess.Popen[str]]
) -> None:
    starter = another_python(STARTER.format(folder=str(local_server.root)))
    url = starter.communicate("go\n")[0].strip()

    with psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_the_server_is_durable(local_server: LocalServer, setting: str) -> None:
    with psycopg.connect(local_server.start().dsn()) as connection:
        assert connection.execute(f"show {setting}").fetchone() == ("on",)


def test_data_and_address_are_the_same_after_a_restart(local_server: LocalServer) -> None:
    before = local_server.start().dsn()
    with psycopg.connect(before) as connection:
        connection.execute("create table kept as select 42 as answer")
    stopped = local_server.stop()
    after = local_server.start().dsn()

    assert stopped
    assert after == before
    with psycopg.connect(after) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_stopping_a_stopped_server_is_no_error(local_server: LocalServer) -> None:
    assert local_server.stop() is False


def test_the_address_of_a_stopped_server_is_an_error_with_a_hint(
    local_server: LocalServer,
) -> None:
    with pytest.raises(ServerUnfit) as raised:
        local_server.url()

    assert "aigym-db server start" in raised.value.hint


def test_committed_data_survives_a_crash(local_server: LocalServer) -> None:
    with psycopg.connect(local_server.start().dsn()) as connection:
        connection.execute("create table kept as select 42 as answer")
    os.kill(pid(local_server), signal.SIGKILL)

    with psycopg.connect(local_server.start().dsn()) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_a_pid_file_with_the_pid_of_another_process_is_ignored(local_server: LocalServer) -> None:
    local_server.start()
    lock = home(local_server) / "data" / "postmaster.pid"
    text = lock.read_text()
    local_server.stop()
    lock.write_text(text.replace(text.split("\n")[0], str(os.getppid()), 1))

    running = local_server.running()
    server = local_server.start()

    assert not running
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_server_whose_port_is_in_use_starts_on_another(local_server: LocalServer) -> None:
    first = local_server.start().port
    local_server.stop()

    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", first))
        taker.listen()
        second = local_server.start().port

    assert second != first
    with psycopg.connect(local_server.tcp_url()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_an_incomplete_data_folder_is_created_again(local_server: LocalServer) -> None:
    (local_server.folder).mkdir(mode=0o711)
    half = home(local_server) / "data.making"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    shutil.chown(home(local_server), user=_user())
    home(local_server).chmod(0o700)

    local_server.start()

    assert local_server.running()
    assert not half.exists()


def test_tcp_requires_the_password_and_the_socket_folder_is_private(
    local_server: LocalServer,
) -> None:
    server = local_server.start()

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{server.port}/postgres", passfile="/nonexistent")
    with psycopg.connect(local_server.tcp_url()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((home(local_server) / "password").stat().st_mode) == 0o600


def test_the_default_address_contains_no_password(local_server: LocalServer) -> None:
    url = local_server.start().dsn()

    assert (home(local_server) / "password").read_text().strip() not in url


def test_psql_accepts_the_address(local_server: LocalServer) -> None:
    server = local_server.start()

    done = subprocess.run(
        [server.programs.program("psql"), server.dsn(), "-XAtc", "select 40 + 2"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout.strip(), done.stderr) == ("42", "")


@pytest.mark.parametrize(
    "name", ["x" * 120, "with space", "com,ma", "quo'te", 'quo"te', "back\\slash", "@at", "ünïcödé"]
)
def test_a_project_path_may_contain_any_characters(open_folder: Path, name: str) -> None:
    root = open_folder / name
    root.mkdir()
    server = local(root)

    try:
        with psycopg.connect(server.start().dsn()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        server.stop()


def test_a_short_socket_folder_is_removed_with_the_server(open_folder: Path) -> None:
    root = open_folder / ("x" * 120)
    root.mkdir()
    server = local(root)
    sockets = server.start().socket_folder

    server.stop()

    assert root not in sockets.parents
    assert not sockets.exists()


@pytest.mark.exhaustive
@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as another user")
def test_a_project_of_root_may_be_in_a_private_folder_and_its_data_is_kept_without_it(
    tmp_path: Path, gone: Callable[[Path], bool]
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = local(private)

    running = server.start()
    with psycopg.connect(running.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    shutil.rmtree(private)
    home = running.folder.parent

    assert home not in gc()
    with psycopg.connect(running.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert remove_orphaned(each for each in orphaned() if each.project == private) == (home,)
    assert gone(home)


def test_the_files_of_the_server_are_ignored_by_git(local_server: LocalServer) -> None:
    local_server.start()

    assert (local_server.folder / ".gitignore").read_text() == "*\n"


def test_another_major_version_is_rejected_with_a_hint(local_server: LocalServer) -> None:
    local_server.start()
    local_server.stop()

    with pytest.raises(ServerUnfit) as raised:
        local(local_server.root, "embedded:16").start()

    assert "PostgreSQL 18" in raised.value.message
    assert "embedded:18" in raised.value.hint


def test_a_server_without_a_name_keeps_its_version(open_folder: Path) -> None:
    created = local(open_folder, "embedded:16")
    created.start()
    created.stop()
    server = local(open_folder)

    try:
        assert server.start().major == 16
    finally:
        server.stop()


def test_a_running_server_and_a_name_of_another_major_version_are_rejected(local_server: LocalServer) -> None:
    local_server.start()

    with pytest.raises(ServerUnfit):
        local(local_server.root, "embedded:16").start()

    assert local_server.running()


def test_settings_that_may_lose_commits_are_rejected(local_server: LocalServer) -> None:
    server = local_server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("alter role postgres set synchronous_commit = off")

    with pytest.raises(ServerUnfit) as raised:
        local_server.start()

    assert "synchronous_commit is off" in raised.value.detail


def test_a_failed_start_reports_the_servers_log(local_server: LocalServer) -> None:
    local_server.start()
    local_server.stop()
    with (home(local_server) / "data" / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")

    with pytest.raises(ServerUnfit) as raised:
        local_server.start()

    assert "no_such_setting" in raised.value.detail


def _user() -> int:
    from aigym_db.database.servers.account import account

    return account().uid


def test_the_server_provides_client_programs_of_the_same_version(local_server: LocalServer) -> None:
    assert local_server.start().programs.program("pg_dump") == find("embedded").program("pg_dump")

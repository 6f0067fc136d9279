"""The project's own server: durable, found again, and never two of it."""

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

from aigym_db.database.servers import LocalServer, find, gc, local
from aigym_db.errors import ServerUnfit

STARTER = """
import sys
from pathlib import Path
from aigym_db.database.servers import local
sys.stdin.readline()
print(local(Path({folder!r})).start().dsn(), flush=True)
"""


def pid(server: LocalServer) -> int:
    with psycopg.connect(server.url()) as connection:
        found = connection.execute("select pg_backend_pid()").fetchone()
        assert found is not None
        parent = psutil.Process(found[0]).parent()
    assert parent is not None
    return int(parent.pid)


def home(server: LocalServer) -> Path:
    return server.folder / "server"


def test_it_is_not_running_until_it_is_started(local_server: LocalServer) -> None:
    before = local_server.running()
    local_server.start()
    after = local_server.running()

    assert (before, after) == (False, True)


def test_asking_whether_it_runs_makes_nothing(local_server: LocalServer) -> None:
    local_server.running()

    assert not local_server.folder.exists()


def test_starting_it_twice_is_starting_it_once(local_server: LocalServer) -> None:
    first = local_server.start()
    first_pid = pid(local_server)
    second = local_server.start()

    assert first == second
    assert pid(local_server) == first_pid


def test_two_who_start_it_at_once_get_the_same_server(
    local_server: LocalServer, another_python: Callable[[str], subprocess.Popen[str]]
) -> None:
    starters = [another_python(STARTER.format(folder=str(local_server.root))) for _ in range(3)]

    said = {starter.communicate("go\n")[0].strip() for starter in starters}

    assert said == {local_server.url()}


def test_it_goes_on_when_the_command_that_started_it_ends(
    local_server: LocalServer, another_python: Callable[[str], subprocess.Popen[str]]
) -> None:
    starter = another_python(STARTER.format(folder=str(local_server.root)))
    said = starter.communicate("go\n")[0].strip()

    with psycopg.connect(said) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_it_keeps_what_was_committed(local_server: LocalServer, setting: str) -> None:
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


def test_stopping_one_that_does_not_run_is_no_error(local_server: LocalServer) -> None:
    assert local_server.stop() is False


def test_asking_for_the_address_of_one_that_does_not_run_says_how_to_start_it(
    local_server: LocalServer,
) -> None:
    with pytest.raises(ServerUnfit) as refusal:
        local_server.url()

    assert "aigym-db server start" in refusal.value.hint


def test_after_a_crash_it_starts_again_with_all_that_was_committed(local_server: LocalServer) -> None:
    with psycopg.connect(local_server.start().dsn()) as connection:
        connection.execute("create table kept as select 42 as answer")
    os.kill(pid(local_server), signal.SIGKILL)

    with psycopg.connect(local_server.start().dsn()) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_a_lock_file_with_the_number_of_another_process_does_not_count(local_server: LocalServer) -> None:
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


def test_when_its_port_was_taken_meanwhile_it_takes_another(local_server: LocalServer) -> None:
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


def test_half_a_data_folder_is_made_again(local_server: LocalServer) -> None:
    (local_server.folder).mkdir(mode=0o711)
    half = home(local_server) / "data.making"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    shutil.chown(home(local_server), user=_user())
    home(local_server).chmod(0o700)

    local_server.start()

    assert local_server.running()
    assert not half.exists()


def test_the_network_asks_for_the_password_and_the_socket_folder_is_private(
    local_server: LocalServer,
) -> None:
    server = local_server.start()

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{server.port}/postgres", passfile="/nonexistent")
    with psycopg.connect(local_server.tcp_url()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((home(local_server) / "password").stat().st_mode) == 0o600


def test_the_usual_address_holds_no_secret(local_server: LocalServer) -> None:
    url = local_server.start().dsn()

    assert (home(local_server) / "password").read_text().strip() not in url


def test_psql_takes_the_address(local_server: LocalServer) -> None:
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
def test_a_project_may_lie_anywhere(open_folder: Path, name: str) -> None:
    root = open_folder / name
    root.mkdir()
    server = local(root)

    try:
        with psycopg.connect(server.start().dsn()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        server.stop()


def test_a_short_socket_folder_is_gone_when_the_server_is(open_folder: Path) -> None:
    root = open_folder / ("x" * 120)
    root.mkdir()
    server = local(root)
    sockets = server.start().socket_folder

    server.stop()

    assert root not in sockets.parents
    assert not sockets.exists()


@pytest.mark.exhaustive
@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as another user")
def test_root_may_have_a_project_where_no_other_user_can_look_and_gc_knows_when_it_is_gone(
    tmp_path: Path, gone: Callable[[Path], bool]
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = local(private)

    running = server.start()
    with psycopg.connect(running.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    shutil.rmtree(private)
    removed = gc()

    assert running.folder.parent in removed
    assert gone(running.folder.parent)


def test_its_files_are_kept_out_of_version_control(local_server: LocalServer) -> None:
    local_server.start()

    assert (local_server.folder / ".gitignore").read_text() == "*\n"


def test_another_major_is_refused_and_says_how_to_go_on(local_server: LocalServer) -> None:
    local_server.start()
    local_server.stop()

    with pytest.raises(ServerUnfit) as refusal:
        local(local_server.root, "embedded:16").start()

    assert "PostgreSQL 18" in refusal.value.message
    assert "embedded:18" in refusal.value.hint


def test_without_a_name_it_is_what_it_was_made_as(open_folder: Path) -> None:
    made = local(open_folder, "embedded:16")
    made.start()
    made.stop()
    server = local(open_folder)

    try:
        assert server.start().major == 16
    finally:
        server.stop()


def test_a_server_that_runs_and_a_name_of_another_major_are_refused(local_server: LocalServer) -> None:
    local_server.start()

    with pytest.raises(ServerUnfit):
        local(local_server.root, "embedded:16").start()

    assert local_server.running()


def test_settings_that_would_lose_data_are_noticed(local_server: LocalServer) -> None:
    server = local_server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("alter role postgres set synchronous_commit = off")

    with pytest.raises(ServerUnfit) as refusal:
        local_server.start()

    assert "synchronous_commit is off" in refusal.value.detail


def test_a_start_that_fails_shows_the_servers_log(local_server: LocalServer) -> None:
    local_server.start()
    local_server.stop()
    with (home(local_server) / "data" / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")

    with pytest.raises(ServerUnfit) as refusal:
        local_server.start()

    assert "no_such_setting" in refusal.value.detail


def _user() -> int:
    from aigym_db.database.servers.account import account

    return account().uid


def test_programs_of_the_same_version_come_with_the_server(local_server: LocalServer) -> None:
    assert local_server.start().programs.program("pg_dump") == find("embedded").program("pg_dump")

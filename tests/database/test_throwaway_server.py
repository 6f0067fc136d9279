"""Throwaway servers: not durable, and removed at the end of their block or owner process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from aigym_db.database.servers.binaries import available, find
from aigym_db.database.servers.cleanup import gc
from aigym_db.database.servers.installed import start_installed
from aigym_db.errors import ServerUnfit
from tests.support.servers import installed

OWNER = """
import sys
from aigym_db.database.servers.throwaway import throwaway
with throwaway() as server:
    print(server.folder, flush=True)
    sys.stdin.read()
"""

OWNER_KILLED_BEFORE_READY = """
import os
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.database.servers.keeper import Keeper

def killed(keeper):
    print(keeper.folder, flush=True)
    os.kill(os.getpid(), 9)

Keeper.wait_until_ready = killed
with throwaway():
    pass
"""

Run = Callable[[str], "subprocess.Popen[str]"]
Gone = Callable[[Path], bool]


def first_line(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))


@pytest.mark.parametrize("name", available())
def test_every_installed_server_starts_with_its_major_version(name: str) -> None:
    with installed(name) as server, psycopg.connect(server.dsn()) as connection:
        version = connection.execute("select current_setting('server_version_num')::int / 10000").fetchone()

    assert version == (server.major,)
    assert server.name == name


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_throwaway_server_is_not_durable(server, setting: str) -> None:
    with psycopg.connect(server.dsn()) as connection:
        values = connection.execute(f"show {setting}").fetchone()

    assert values == ("off",)


def test_non_ascii_letters_are_letters_and_text_is_compared_by_code_point(server) -> None:
    with psycopg.connect(server.dsn()) as connection:
        values = connection.execute("select upper('é'), 'é' ~ '[[:alpha:]]', 'Z' < 'a', 'z' < 'é'").fetchone()

    assert values == ("É", True, True, True)


def test_a_throwaway_server_does_not_listen_on_the_network(server) -> None:
    with psycopg.connect(server.dsn()) as connection:
        values = connection.execute("show listen_addresses").fetchone()

    assert values == ("",)
    assert server.socket_folder.stat().st_mode & 0o077 == 0


def test_a_server_does_not_run_as_root(server) -> None:
    assert postmaster(server.folder).uids().effective != 0


def test_the_server_is_removed_at_the_end_of_the_block(gone: Gone) -> None:
    with installed() as server:
        folder = server.folder

    assert gone(folder)


def test_the_server_is_removed_after_an_error_in_the_block(gone: Gone) -> None:
    with pytest.raises(ZeroDivisionError), installed() as server:
        folder = server.folder
        _ = 1 // 0

    assert gone(folder)


def test_a_second_stop_has_no_effect(gone: Gone) -> None:
    server = start_installed("embedded", None, None, {})

    server.stop()
    server.stop()

    assert gone(server.folder)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"])
def test_a_server_ends_with_its_owner(another_python: Run, gone: Gone, name: str) -> None:
    owner = another_python(OWNER)
    folder = first_line(owner)
    assert postmaster(folder).is_running()

    owner.send_signal(getattr(signal, name))
    owner.wait()

    assert gone(folder)


def test_a_server_ends_if_its_owner_is_killed_during_the_start(another_python: Run, gone: Gone) -> None:
    owner = another_python(OWNER_KILLED_BEFORE_READY)
    folder = first_line(owner)
    owner.wait()

    assert gone(folder)


def test_a_server_with_a_running_statement_ends_with_its_owner(another_python: Run, gone: Gone) -> None:
    owner = another_python(OWNER)
    folder = first_line(owner)
    connection = psycopg.connect(f"postgresql://postgres@/postgres?host={folder}&port=5432")
    with contextlib.closing(connection):
        connection.execute("create table work as select generate_series(1, 100000)")

        owner.kill()
        owner.wait()

        assert gone(folder)


def test_stop_ends_the_server_if_its_parent_shell_was_killed(gone: Gone) -> None:
    server = start_installed("embedded", None, None, {})
    running = postmaster(server.folder)
    keeper = running.parent()
    assert keeper is not None
    keeper.kill()

    server.stop()

    assert gone(server.folder)


def test_gc_ends_the_server_of_a_killed_owner_and_shell(another_python: Run, gone: Gone) -> None:
    owner = another_python(OWNER)
    folder = first_line(owner)
    keeper = postmaster(folder).parent()
    assert keeper is not None
    keeper.kill()
    owner.kill()
    owner.wait()
    assert postmaster(folder).is_running()

    removed = gc()

    assert folder in removed
    assert gone(folder)


def test_gc_does_not_end_a_server_in_use(server) -> None:
    removed = gc()

    assert server.folder not in removed
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_server_that_cannot_start_reports_its_log_and_is_removed(gone: Gone) -> None:
    with pytest.raises(ServerUnfit) as raised, installed(settings={"shared_buffers": "nonsense"}):
        pass

    assert "shared_buffers" in raised.value.detail
    assert raised.value.hint


def test_settings_are_added_to_the_default_settings() -> None:
    wanted = {"wal_level": "logical", "max_wal_senders": "4"}

    with installed(settings=wanted) as server, psycopg.connect(server.dsn()) as connection:
        values = connection.execute(
            "select current_setting('wal_level'), current_setting('fsync')"
        ).fetchone()

    assert values == ("logical", "off")


def test_environment_variables_of_postgresql_do_not_apply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    with installed() as server, psycopg.connect(server.dsn()) as connection:
        assert connection.execute("show timezone").fetchone() == ("UTC",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as another user")
def test_programs_that_the_servers_user_cannot_execute_are_copied_once(
    open_folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = find("embedded").prefix.parent
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    shutil.copytree(package / "pginstall18", private / package.name / "pginstall18")
    shutil.copytree(package.with_name(f"{package.name}.libs"), private / f"{package.name}.libs")
    monkeypatch.setattr("aigym_db.database.servers.binaries._package", lambda: private / package.name)

    with installed() as first, installed() as second, psycopg.connect(second.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)

    assert own_cache in first.programs.prefix.parents
    assert first.programs == second.programs
    assert len(list((own_cache / "programs").iterdir())) == 1

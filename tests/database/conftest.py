"""What tests of servers need: folders a server's user may enter, and a way to wait until a server is gone."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from aigym_db.database.servers import LocalServer, Throwaway, local
from aigym_db.database.servers.folders import scratch
from tests.support.waiting import PROCESS_TIMEOUT_S


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder with a short path that every user may enter, unlike pytest's own; in memory where there is
    some."""
    folder = Path(tempfile.mkdtemp(prefix="aigym-test-", dir=scratch()[0]))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def local_server(open_folder: Path) -> Iterator[LocalServer]:
    """The local server of an empty project, not started; stopped afterwards."""
    server = local(open_folder)
    yield server
    server.stop()


@pytest.fixture
def own_cache(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for this test alone."""
    cache = open_folder / "cache"
    monkeypatch.setenv("AIGYM_DB_CACHE", str(cache))
    return cache


@pytest.fixture
def gone() -> Callable[[Path], bool]:
    """Waits until a folder does not exist and no process works in it; False when that does not happen."""

    def wait(folder: Path) -> bool:
        _, alive = psutil.wait_procs(_working_in(folder), timeout=PROCESS_TIMEOUT_S)
        return not alive and not folder.exists()

    return wait


@pytest.fixture
def another_python() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts Python programs beside the test; what still runs afterwards is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(program: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _working_in(folder: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if str(folder) in _described(process)]


def _described(process: psutil.Process) -> str:
    """Where a process works and how it was called; the shell that removes a folder was called with its
    name."""
    try:
        return f"{process.cwd()} {process.cmdline()}"
    except (psutil.Error, OSError):
        return ""


@pytest.fixture
def proxied(server: Throwaway) -> Iterator[Callable[[str], str]]:
    """The DSN of the server through something like a pooler, which does one thing to the first connection."""
    with contextlib.ExitStack() as stack:

        def through(what: str) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = listener.getsockname()[1]
            thread = threading.Thread(target=_pool, args=(listener, server, what), daemon=True)
            thread.start()
            return f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable"

        yield through


def _pool(listener: socket.socket, server: Throwaway, what: str) -> None:
    client, _ = listener.accept()
    behind = socket.socket(socket.AF_UNIX)
    with client, behind:
        size = int.from_bytes(client.recv(4))
        startup = client.recv(size - 4, socket.MSG_WAITALL)
        if what == "refuse options":
            said = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter in options: row_security\0\0"
            client.sendall(b"E" + (len(said) + 4).to_bytes(4) + said)
            return
        behind.connect(str(server.socket_folder / f".s.PGSQL.{server.port}"))
        words = startup[4:].split(b"\0")
        pairs = zip(words[::2], words[1::2], strict=False)
        kept = [pair for pair in pairs if pair[0] and (pair[0] != b"options" or what != "drop options")]
        startup = startup[:4] + b"".join(name + b"\0" + value + b"\0" for name, value in kept) + b"\0"
        behind.sendall((len(startup) + 4).to_bytes(4) + startup)
        while (kind := behind.recv(1)) != b"Z":
            size = int.from_bytes(behind.recv(4, socket.MSG_WAITALL))
            body = behind.recv(size - 4, socket.MSG_WAITALL) if size > 4 else b""
            if kind == b"K" and what == "another pid":
                body = (1).to_bytes(4) + body[4:]
            client.sendall(kind + size.to_bytes(4) + body)
        client.sendall(kind)
        _forward(client, behind)


def _forward(client: socket.socket, behind: socket.socket) -> None:
    other = {client: behind, behind: client}
    while True:
        for ready in select.select(list(other), [], [])[0]:
            if not (said := ready.recv(65536)):
                return
            other[ready].sendall(said)

"""Fixtures for tests of servers: folders for a server's user, and a wait for the end of a server."""

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

from aigym_db.database.servers.folders import scratch
from aigym_db.database.servers.installed import InstalledThrowaway
from aigym_db.database.servers.local import LocalServer, local
from tests.support.waiting import PROCESS_TIMEOUT_S


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder with a short path that every user may enter, unlike pytest's own; in memory where
    possible."""
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
    """Wait until a folder does not exist and no process works in it; return False after the timeout."""

    def wait(folder: Path) -> bool:
        _, alive = psutil.wait_procs(_working_in(folder), timeout=PROCESS_TIMEOUT_S)
        return not alive and not folder.exists()

    return wait


@pytest.fixture
def another_python() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start Python programs in separate processes; kill the remaining ones after the test."""
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
    """Return the working directory and command line of a process; the command line of the shell that
    removes a folder contains its name."""
    try:
        return f"{process.cwd()} {process.cmdline()}"
    except (psutil.Error, OSError):
        return ""


@pytest.fixture
def proxied(server: InstalledThrowaway) -> Iterator[Callable[[str], str]]:
    """Return the DSN of a simulated pooler, which introduces a fault in the first connection."""
    with contextlib.ExitStack() as stack:

        def through(fault: str) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = listener.getsockname()[1]
            thread = threading.Thread(target=_pool, args=(listener, server, fault), daemon=True)
            thread.start()
            return f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable"

        yield through


def _pool(listener: socket.socket, server: InstalledThrowaway, fault: str) -> None:
    client, _ = listener.accept()
    backend = socket.socket(socket.AF_UNIX)
    with client, backend:
        size = int.from_bytes(client.recv(4))
        startup = client.recv(size - 4, socket.MSG_WAITALL)
        if fault == "reject options":
            message = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter in options: row_security\0\0"
            client.sendall(b"E" + (len(message) + 4).to_bytes(4) + message)
            return
        backend.connect(str(server.socket_folder / f".s.PGSQL.{server.port}"))
        words = startup[4:].split(b"\0")
        pairs = zip(words[::2], words[1::2], strict=False)
        kept = [pair for pair in pairs if pair[0] and (pair[0] != b"options" or fault != "drop options")]
        startup = startup[:4] + b"".join(name + b"\0" + value + b"\0" for name, value in kept) + b"\0"
        backend.sendall((len(startup) + 4).to_bytes(4) + startup)
        while (kind := backend.recv(1)) != b"Z":
            size = int.from_bytes(backend.recv(4, socket.MSG_WAITALL))
            body = backend.recv(size - 4, socket.MSG_WAITALL) if size > 4 else b""
            if kind == b"K" and fault == "another pid":
                body = (1).to_bytes(4) + body[4:]
            client.sendall(kind + size.to_bytes(4) + body)
        client.sendall(kind)
        _forward(client, backend)


def _forward(client: socket.socket, backend: socket.socket) -> None:
    other = {client: backend, backend: client}
    while True:
        for ready in select.select(list(other), [], [])[0]:
            if not (data := ready.recv(65536)):
                return
            other[ready].sendall(data)

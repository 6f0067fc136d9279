"""The operating system's view of a server: the processes that work on a data folder, and its lock file."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aigym_db.database.servers.binaries import Binaries
from aigym_db.errors import ServerUnfit

if TYPE_CHECKING:
    import psutil

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
POLL_S = 0.001


def command(programs: Binaries, data: Path, settings: Mapping[str, str]) -> list[str]:
    """Return the command line that starts PostgreSQL on `data` with these settings."""
    pairs = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [programs.program("postgres"), "-D", str(data), *pairs]


def environment() -> dict[str, str]:
    """Return the environment of servers, without variables that affect their behavior."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def ready(data: Path) -> bool:
    """Return True if the lock file of the server on `data` reports that it accepts connections."""
    try:
        lines = (data / "postmaster.pid").read_bytes().split(b"\n")
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == b"ready"


def postmaster(data: Path) -> psutil.Process | None:
    """Return the server that runs on `data`, or None; a stale lock file is ignored."""
    try:
        pid = int((data / "postmaster.pid").read_bytes().partition(b"\n")[0])
    except (OSError, ValueError):
        return None
    import psutil

    try:
        process = psutil.Process(pid)
        # The working directory of a server is its data folder, which distinguishes it from a reused pid.
        return process if _works_in(process, data) else None
    except psutil.NoSuchProcess:
        return None


def _works_in(process: psutil.Process, data: Path) -> bool:
    import psutil

    try:
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(data)
    except (psutil.Error, OSError):
        return False


def came_up(data: Path, pid: int) -> bool:
    """Wait until the server with this pid accepts connections. Return False if it ended."""
    import psutil

    deadline = time.monotonic() + START_TIMEOUT_S
    try:
        started = psutil.Process(pid)
        while started.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            process = postmaster(data)
            if process is not None and process.pid == pid and ready(data):
                return True
            time.sleep(POLL_S)
    except psutil.NoSuchProcess:
        pass
    return False


def forget_dead(data: Path) -> None:
    """Clean up after a killed server: wait for its last processes and remove its lock files.

    PostgreSQL does the same, unless the pid in a lock file has been reused by another process.
    """
    lock = data / "postmaster.pid"
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    import psutil

    deadline = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline and any(_works_in(process, data) for process in psutil.process_iter()):
        time.sleep(POLL_S)
    if len(lines) > 4:
        Path(lines[4], f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)
    lock.unlink(missing_ok=True)


def shut_down(data: Path) -> bool:
    """Shut the server on `data` down and wait until it has ended. Return False if none was running."""
    if (process := postmaster(data)) is None:
        return False
    if not _ended(process, data, signal.SIGINT):
        # Committed data is safe: the next start replays the WAL.
        kill(data)
    return True


def kill(data: Path) -> None:
    """Stop the server on `data` immediately, if any, and wait until it has ended."""
    if (process := postmaster(data)) is not None:
        _ended(process, data, signal.SIGQUIT)


def _ended(process: psutil.Process, data: Path, how: signal.Signals) -> bool:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(how)
    # Not psutil's wait: it also waits until the parent process has reaped the child.
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while _works_in(process, data):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def log_tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a server log."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def unstarted(programs: Binaries, log_text: str) -> ServerUnfit:
    """Return the error for a server that did not start; `log_text` is the end of its log."""
    return ServerUnfit(
        f"PostgreSQL {programs.major} ({programs.name}) did not start.",
        detail=log_text or "It wrote nothing to its log.",
        hint="Read the lines above: most often memory, disk space or shared memory ran out.",
    )

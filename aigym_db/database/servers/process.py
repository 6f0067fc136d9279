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
    """The words that start PostgreSQL on `data` with these settings."""
    pairs = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [programs.program("postgres"), "-D", str(data), *pairs]


def environment() -> dict[str, str]:
    """What our servers see of the environment: nothing that could change what they do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def ready(data: Path) -> bool:
    """Whether the server on `data` has said in its lock file that it takes connections."""
    try:
        lines = (data / "postmaster.pid").read_bytes().split(b"\n")
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == b"ready"


def postmaster(data: Path) -> psutil.Process | None:
    """The server that runs on `data`, if one does; a lock file left by a dead one does not count."""
    try:
        pid = int((data / "postmaster.pid").read_bytes().partition(b"\n")[0])
    except (OSError, ValueError):
        return None
    import psutil

    try:
        found = psutil.Process(pid)
        # Every server works in its data folder: a number the system gave to somebody else since is told
        # apart.
        return found if _works_in(found, data) else None
    except psutil.NoSuchProcess:
        return None


def _works_in(found: psutil.Process, data: Path) -> bool:
    import psutil

    try:
        return found.status() != psutil.STATUS_ZOMBIE and Path(found.cwd()).samefile(data)
    except (psutil.Error, OSError):
        return False


def came_up(data: Path, pid: int) -> bool:
    """Waits for the server with this number to take connections; False when it ended instead."""
    import psutil

    deadline = time.monotonic() + START_TIMEOUT_S
    try:
        started = psutil.Process(pid)
        while started.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            found = postmaster(data)
            if found is not None and found.pid == pid and ready(data):
                return True
            time.sleep(POLL_S)
    except psutil.NoSuchProcess:
        pass
    return False


def forget_dead(data: Path) -> None:
    """Makes way for a server after one that was killed: waits for its last processes, drops its lock files.

    PostgreSQL does so too, except when the number in a lock file belongs to some other process by now.
    """
    lock = data / "postmaster.pid"
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    import psutil

    deadline = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline and any(_works_in(found, data) for found in psutil.process_iter()):
        time.sleep(POLL_S)
    if len(lines) > 4:
        Path(lines[4], f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)
    lock.unlink(missing_ok=True)


def shut_down(data: Path) -> bool:
    """Ends the server on `data` cleanly and waits until it is gone; False when there is none."""
    if (found := postmaster(data)) is None:
        return False
    if not _ended(found, data, signal.SIGINT):
        # It keeps what was committed: the next start replays its log.
        kill(data)
    return True


def kill(data: Path) -> None:
    """Ends the server on `data` at once, if there is one, and waits until it is gone."""
    if (found := postmaster(data)) is not None:
        _ended(found, data, signal.SIGQUIT)


def _ended(found: psutil.Process, data: Path, how: signal.Signals) -> bool:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        found.send_signal(how)
    # Not psutil's wait: it also waits until the parent, whoever that is by now, has taken note.
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while _works_in(found, data):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def log_tail(log: Path, lines: int = 12) -> str:
    """The last lines a server wrote."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def unstarted(programs: Binaries, said: str) -> ServerUnfit:
    """PostgreSQL did not start, and what it said about it."""
    return ServerUnfit(
        f"PostgreSQL {programs.major} ({programs.name}) did not start.",
        detail=said or "It wrote nothing to its log.",
        hint="Read the lines above: most often memory, disk space or shared memory ran out.",
    )

"""Starting PostgreSQL so that it cannot outlive whoever needs it."""

from __future__ import annotations

import contextlib
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from aigym_db.database.servers import process
from aigym_db.database.servers.account import Account
from aigym_db.database.servers.binaries import Binaries
from aigym_db.errors import ServerUnfit

# The shell between us and PostgreSQL reads a pipe that only we hold open. However we end, SIGKILL included,
# the read returns: it stops the server, waits for it and removes the folder. There is no other way to stop,
# so this one is used every day. TERM besides QUIT: a server that has not installed its handlers yet ignores
# QUIT. File 3 is the server's: its end tells us at once that the server is gone.
_KEEPER = """
folder=$1; shift
"$@" 3>&1 </dev/null >>"$folder/log" 2>&1 &
server=$!
exec >/dev/null 2>&1
trap '' HUP INT TERM QUIT
read -r word
if [ "$word" = keep ]; then kill -INT $server; wait $server; exit $?; fi
kill -TERM $server; kill -QUIT $server; wait $server
cd /; rm -rf -- "$folder"
"""


class Keeper:
    """A server that lives exactly as long as this object's process, at most.

    `folder` holds `data/` and gets `log` and the socket; it is removed when the server ends.
    """

    def __init__(self, programs: Binaries, folder: Path, settings: Mapping[str, str], owner: Account) -> None:
        self.folder = folder
        self._programs = programs
        self._process = subprocess.Popen(
            [
                "/bin/sh",
                "-c",
                _KEEPER,
                "aigym-db",
                str(folder),
                *process.command(programs, folder / "data", settings),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=process.environment(),
            # An interrupt typed at the terminal is for us; we decide what becomes of the server.
            start_new_session=True,
            **owner.popen_options(),  # type: ignore[call-overload]
        )

    def wait_until_ready(self) -> None:
        """Returns once the server takes connections.

        Raises ServerUnfit with the end of its log when it never does.
        """
        output = self._process.stdout
        assert output is not None
        deadline = time.monotonic() + process.START_TIMEOUT_S
        while not process.ready(self.folder / "data"):
            # The pipe never holds a byte: readable means every process of the server has ended.
            ended = select.select([output], [], [], process.POLL_S)[0]
            if ended or time.monotonic() > deadline:
                said = process.log_tail(self.folder / "log")
                self.stop()
                raise process.unstarted(self._programs, said)

    def stop(self) -> None:
        """Ends the server at once and removes its folder; calling it again does nothing."""
        self._end(b"")

    def shut_down(self) -> None:
        """Ends the server cleanly (its data is complete on disk) and keeps the folder.

        Raises ServerUnfit when it did not end cleanly.
        """
        if self._end(b"keep\n") != 0:
            raise ServerUnfit(
                "The throwaway server did not shut down cleanly, so its data cannot be kept.",
                detail=process.log_tail(self.folder / "log"),
                hint="Run the command again; report it when it happens twice.",
            )

    def _end(self, word: bytes) -> int:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        if not stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                stdin.write(word)
                stdin.flush()
            with contextlib.suppress(BrokenPipeError):
                stdin.close()
        try:
            status: int = self._process.wait(process.STOP_TIMEOUT_S)
        finally:
            stdout.close()
        # Only left over when somebody killed the shell.
        process.kill(self.folder / "data")
        return status

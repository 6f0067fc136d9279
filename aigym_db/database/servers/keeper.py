"""Start PostgreSQL as a child that cannot outlive this process."""

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

# The shell between this process and PostgreSQL reads a pipe that only this process holds open. When this
# process ends, SIGKILL included, the read returns: the shell stops the server, waits for it and removes the
# folder. Every stop uses this path. TERM in addition to QUIT: a server that has not installed its handlers
# yet ignores QUIT. Only the server holds file 3: end of file means that it has ended.
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
    """A server that ends at the latest with this process.

    `folder` contains `data/`, `log` and the socket; it is removed when the server ends.
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
            # An interrupt at the terminal must reach this process only, not the server.
            start_new_session=True,
            **owner.popen_options(),  # type: ignore[call-overload]
        )

    def wait_until_ready(self) -> None:
        """Wait until the server accepts connections.

        Raise ServerUnfit (AIG-G005) with the end of its log if it does not start.
        """
        output = self._process.stdout
        assert output is not None
        deadline = time.monotonic() + process.START_TIMEOUT_S
        while not process.ready(self.folder / "data"):
            # The pipe never holds a byte: readable means every process of the server has ended.
            ended = select.select([output], [], [], process.POLL_S)[0]
            if ended or time.monotonic() > deadline:
                log_text = process.log_tail(self.folder / "log")
                self.stop()
                raise process.unstarted(self._programs, log_text)

    def stop(self) -> None:
        """Stop the server immediately and remove its folder; a second call has no effect."""
        self._end(b"")

    def shut_down(self) -> None:
        """Shut the server down cleanly (its data is complete on disk) and keep the folder.

        Raise ServerUnfit (AIG-G005) if it did not end cleanly.
        """
        if self._end(b"keep\n") != 0:
            raise ServerUnfit(
                "The temporary server did not shut down cleanly, so its data cannot be kept.",
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
        # The server is still running only if the shell was killed.
        process.kill(self.folder / "data")
        return status

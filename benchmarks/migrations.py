"""How fast migrations are applied, against one psql that runs the same SQL, dbmate and Alembic, in the same
run.

    python -m benchmarks migrations -- [--count 500] [--rounds 7] [--peers DIR | --install-peers DIR]
        [--unsafe]

Every figure is a whole process from its start to its end. Each round runs everybody once, in turn, on fresh
databases of one server, so that a slow moment of the machine meets all of them. Prints medians, their ratio
to psql (the median of the rounds' ratios), the processor time of the process without the server, and how long
it takes to go back over the newest 100.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from aigym_db.database.servers import Server, create_database, drop_database, local, throwaway
from benchmarks.startup import COMPILED

TABLE = """create table {name} (
  id bigint generated always as identity primary key,
  name text not null,
  created_at timestamptz not null default now()
);
comment on table {name} is 'The table of one migration of the benchmark.';
"""
BACK = 100
CONNECT = "import sys, psycopg; psycopg.connect(sys.argv[1]).execute('select 1')"
ALEMBIC_ENV = """import os
from alembic import context
from sqlalchemy import create_engine
engine = create_engine(os.environ["BENCHMARK_URL"])
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
ALEMBIC_REVISION = '''from alembic import op
revision = "{version:04d}"
down_revision = {previous}
def upgrade():
    op.execute("""{up}""")
def downgrade():
    op.execute("drop table {name}")
'''


@dataclass(frozen=True)
class Runner:
    """Somebody who migrates: the command that brings the database at a DSN up to date."""

    name: str
    command: Callable[[str], list[str]]
    environment: Callable[[str], dict[str, str]] = lambda dsn: {}
    back: Callable[[str], list[str]] | None = None
    """The command that undoes the newest `BACK`."""


def main() -> None:
    arguments = _arguments()
    peers = arguments.install_peers or arguments.peers
    if arguments.install_peers:
        install(arguments.install_peers)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        write(folder, arguments.count)
        with server(folder, unsafe=arguments.unsafe) as running:
            measure(running, runners(folder, running, peers), arguments)


def measure(running: Server, who: list[Runner], arguments: argparse.Namespace) -> None:
    """Prints the table."""
    full: dict[str, list[float]] = {runner.name: [] for runner in who}
    busy: dict[str, list[float]] = {runner.name: [] for runner in who}
    nothing: dict[str, list[float]] = {runner.name: [] for runner in who}
    back: list[float] = []
    bare: list[float] = []
    for number in range(arguments.rounds):
        for runner in who[number % len(who) :] + who[: number % len(who)]:
            dsn = create_database(running)
            environment = runner.environment(dsn)
            before = _processor_s()
            full[runner.name].append(_timed(runner.command(dsn), environment))
            busy[runner.name].append(_processor_s() - before)
            if runner.name != "psql":
                nothing[runner.name].append(_timed(runner.command(dsn), environment))
            if runner.back:
                back.append(_timed(runner.back(dsn), environment))
            bare.append(_timed([sys.executable, "-c", CONNECT, dsn], {}))
            if arguments.unsafe:
                # Not on a disk: for some time after many files were deleted, ext4 takes milliseconds to make
                # one, for everybody alike, and all ratios come near to 1.
                drop_database(running, dsn.partition("?")[0].rpartition("/")[2])
    kind = "that does not wait for the disk" if arguments.unsafe else "that keeps its promises"
    print(f"\n{arguments.count} migrations of one table, {arguments.rounds} rounds, {running.name} {kind}\n")
    print(f"{'':12} {'all of them':>12} {'spread':>14} {'× psql':>8} {'processor':>10} {'nothing to do':>14}")
    for name, seconds in full.items():
        ratio = statistics.median(own / limit for own, limit in zip(seconds, full["psql"], strict=True))
        again = "" if name == "psql" else f"{statistics.median(nothing[name]) * 1000:.0f} ms"
        spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
        own_ms = f"{statistics.median(busy[name]) * 1000:.0f} ms"
        median_s = statistics.median(seconds)
        print(f"{name:12} {median_s:10.3f} s {spread:>14} {ratio:8.2f} {own_ms:>10} {again:>14}")
    print(f"\nback over the newest {BACK}: {statistics.median(back):.3f} s, fastest {min(back):.3f} s")
    print(f"python that imports psycopg and connects: {statistics.median(bare) * 1000:.0f} ms")


def runners(folder: Path, running: Server, peers: Path | None) -> list[Runner]:
    """psql, ourselves, and the peers that are there."""
    psql = running.programs.program("psql")
    ours = _ourselves(folder)
    found = [
        Runner(
            "psql", lambda dsn: [psql, dsn, "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(folder / "all.sql")]
        ),
        Runner(
            "aigym-db",
            lambda dsn: [*ours, "--database", dsn, "migrate"],
            back=lambda dsn: [*ours, "--database", dsn, "rollback", "--steps", str(BACK)],
        ),
    ]
    # The program itself: node_modules/.bin/dbmate would start a Node.js around it.
    dbmate = next(iter(peers.glob("node_modules/@dbmate/*/bin/dbmate")), None) if peers else None
    if dbmate is not None:
        options = ["--no-dump-schema", "--migrations-dir", str(folder / "dbmate"), "up"]
        found.append(
            Runner("dbmate", lambda dsn: [str(dbmate), *options], lambda dsn: {"DATABASE_URL": _socket(dsn)})
        )
    else:
        print("dbmate is left out: it is not installed (--install-peers DIR)")
    alembic = peers / "venv/bin/alembic" if peers else None
    if alembic is not None and alembic.exists():
        command = [str(alembic), "-c", str(folder / "alembic.ini"), "upgrade", "head"]
        found.append(Runner("alembic", lambda dsn: command, lambda dsn: {"BENCHMARK_URL": _psycopg(dsn)}))
    else:
        print("Alembic is left out: it is not installed (--install-peers DIR)")
    return found


@contextmanager
def server(folder: Path, *, unsafe: bool) -> Iterator[Server]:
    """One whose commits reach the disk, as in production, or one that does not wait for it."""
    if unsafe:
        with throwaway() as running:
            yield running
        return
    kept = local(folder / "kept")
    try:
        yield kept.start()
    finally:
        kept.stop()


def write(folder: Path, count: int) -> None:
    """The same migrations in everybody's form."""
    for name in ("migrations", "dbmate", "alembic/versions", "kept"):
        (folder / name).mkdir(parents=True)
    script = [
        "create table ledger (id bigint generated always as identity primary key, version integer, name text,"
        " checksum text, sql text, who text default session_user, at timestamptz default clock_timestamp());"
    ]
    for version in range(1, count + 1):
        name = f"table_{version}"
        up, down = TABLE.format(name=name), f"drop table {name};\n"
        file = f"{version:04d}_{name}.sql"
        both = f"-- migrate:up\n{up}\n-- migrate:down\n{down}"
        (folder / "migrations" / file).write_text(f"-- {version:04d} {name}\n{both}")
        (folder / "dbmate" / file).write_text(both)
        previous = f'"{version - 1:04d}"' if version > 1 else None
        revision = ALEMBIC_REVISION.format(version=version, previous=previous, up=up, name=name)
        (folder / "alembic/versions" / f"{version:04d}.py").write_text(revision)
        row = (
            f"insert into ledger (version, name, checksum, sql) values ({version}, '{name}', "
            f"'{'0' * 64}', $${both}$$);"
        )
        script.append(f"begin;\n{up}{row}\ncommit;")
    (folder / "all.sql").write_text("\n".join(script))
    (folder / "alembic/env.py").write_text(ALEMBIC_ENV)
    (folder / "alembic.ini").write_text(f"[alembic]\nscript_location = {folder / 'alembic'}\n")
    _timed([*_ourselves(folder), "freeze"], {})


def install(folder: Path) -> None:
    """dbmate and Alembic into a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("npm"):
        subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), "dbmate"], check=True)
    else:
        print("dbmate is left out: there is no npm")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    packages = ["alembic", "psycopg[binary]"]
    subprocess.run([str(folder / "venv/bin/pip"), "install", "--quiet", *packages], check=True)


def _ourselves(folder: Path) -> list[str]:
    return [sys.executable, "-c", "from aigym_db.cli.main import run; run()", "-C", str(folder)]


def _socket(dsn: str) -> str:
    """A DSN as Go's lib/pq takes it."""
    start, _, options = dsn.partition("?")
    given = dict(pair.split("=") for pair in options.split("&"))
    start = start.replace("@/", f"@:{given['port']}/")
    return f"{start}?sslmode=disable&socket={unquote(given['host'])}"


def _psycopg(dsn: str) -> str:
    """A DSN as SQLAlchemy takes it for psycopg 3."""
    return dsn.replace("postgresql://", "postgresql+psycopg://", 1)


def _processor_s() -> float:
    """The processor time of all processes that we waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _timed(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    whole = {**os.environ, **COMPILED, **environment}
    done = subprocess.run(command, env=whole, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return seconds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=500, help="how many migrations")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", type=Path, help="a folder in which --install-peers put them before")
    parser.add_argument(
        "--install-peers", type=Path, metavar="DIR", help="install dbmate and Alembic there first"
    )
    parser.add_argument("--unsafe", action="store_true", help="a server that does not wait for the disk")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Commands with nothing to do, compared with a Python process that imports psycopg and connects.

Every figure is for a whole process. The project has 58 migrations, all applied; all checksums are verified.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from aigym_db.cli.local import DATABASE
from aigym_db.database.servers.local import local
from benchmarks.measure import Goal, Table, interleaved, process

MIGRATIONS, TABLES = 58, 15
BARE = "import sys, psycopg; psycopg.connect(sys.argv[1]).execute('select 1')"
OURSELVES = (sys.executable, "-c", "from aigym_db.cli.main import run; run()")
LIMIT = "import psycopg, connect"
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Use compiled bytecode, as an installed package does."""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        write(folder)
        try:
            for command in ("freeze", "migrate"):
                subprocess.run([*OURSELVES, "-C", name, command], check=True, capture_output=True)
            print(run(folder))
        finally:
            local(folder).stop()


def run(folder: Path) -> Table:
    """Measure the commands on a project whose local server is running."""
    dsn = local(folder).url(DATABASE)
    local_server, database = (
        (*OURSELVES, "-C", str(folder)),
        (*OURSELVES, "-C", str(folder), "--database", dsn),
    )
    times = interleaved(
        {
            LIMIT: process([sys.executable, "-c", BARE, dsn], COMPILED),
            "migrate, --database": process([*database, "migrate"], COMPILED),
            "migrate, local server": process([*local_server, "migrate"], COMPILED),
            "status, --database": process([*database, "status"], COMPILED),
            "--version": process([*local_server, "--version"], COMPILED),
            "--help": process([*local_server, "--help"], COMPILED),
        }
    )
    goals = (Goal(LIMIT, over_ms=20),)
    return Table(
        f"{MIGRATIONS} applied migrations, nothing to do",
        times,
        {"migrate, --database": goals, "status, --database": goals},
    )


def write(folder: Path) -> None:
    """Write a project with migrations of realistic length."""
    (folder / "migrations").mkdir()
    for version in range(1, MIGRATIONS + 1):
        names = [f"table_{version}_{number}" for number in range(TABLES)]
        up = "".join(
            f"create table {name} (id bigint primary key, name text not null default 'it''s new');\n"
            f"comment on table {name} is 'The table {name} of the benchmark.';\n"
            for name in names
        )
        down = "".join(f"drop table {name};\n" for name in names)
        path = folder / "migrations" / f"{version:04d}_tables_{version}.sql"
        path.write_text(f"-- migrate:up\n{up}-- migrate:down\n{down}", encoding="utf-8")


if __name__ == "__main__":
    main()

"""How long commands with nothing to do take, against a Python that imports psycopg and connects.

Every figure is a whole process. The project has 58 migrations, all applied, of which every byte is checked.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from aigym_db.cli.local import DATABASE
from aigym_db.database.servers import local
from benchmarks.measure import Goal, Table, interleaved, process

MIGRATIONS, TABLES = 58, 15
BARE = "import sys, psycopg; psycopg.connect(sys.argv[1]).execute('select 1')"
OURSELVES = (sys.executable, "-c", "from aigym_db.cli.main import run; run()")
LIMIT = "import psycopg, connect"
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""An installed package has its bytecode beside it."""


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
    """The commands on the project in this folder, whose local server runs."""
    dsn = local(folder).url(DATABASE)
    near, far = (*OURSELVES, "-C", str(folder)), (*OURSELVES, "-C", str(folder), "--database", dsn)
    times = interleaved(
        {
            LIMIT: process([sys.executable, "-c", BARE, dsn], COMPILED),
            "migrate, --database": process([*far, "migrate"], COMPILED),
            "migrate, local server": process([*near, "migrate"], COMPILED),
            "status, --database": process([*far, "status"], COMPILED),
            "--version": process([*near, "--version"], COMPILED),
            "--help": process([*near, "--help"], COMPILED),
        }
    )
    close = (Goal(LIMIT, over_ms=20),)
    return Table(
        f"{MIGRATIONS} applied migrations, nothing to do",
        times,
        {"migrate, --database": close, "status, --database": close},
    )


def write(folder: Path) -> None:
    """A project whose migrations are about as long as real ones."""
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

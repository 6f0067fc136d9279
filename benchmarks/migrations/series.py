"""A series: every tool once per round, in rotating order, on new databases of one server."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from aigym_db.database.servers.databases import create_database, drop_database
from aigym_db.database.servers.server import Server
from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender
from benchmarks.migrations.contenders.aigym_db import AigymDb
from benchmarks.migrations.peers import Write
from benchmarks.process import Command, Done, Failed, TooSlow, measured

TABLES = """select count(*) from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and relname like 'table\\_%'"""
BARE = "import sys, psycopg; psycopg.connect(sys.argv[1]).execute('select 1')"
BARE_NAME = "python, psycopg, connect"


@dataclass
class Figures:
    """Measurements of one contender, one per round."""

    name: str
    migrations: int
    """Length of its chain; if it is shorter than that of the others, ratios are per migration."""
    up: list[Done] = field(default_factory=list)
    again: list[Done] = field(default_factory=list)
    rollback: list[Done] = field(default_factory=list)
    too_slow: bool = False
    """Whether it exceeded the time limit and is not run again."""


@dataclass(frozen=True)
class Series:
    """The measurements of a chain."""

    title: str
    chain: Chain
    rounds: int
    again: bool = False
    """Whether a run with nothing to apply is measured."""
    rollbacks: int = 0
    """Number of migrations rolled back at the end."""


def run(series: Series, writes: Sequence[Write], server: Server, *, on_disk: bool) -> Mapping[str, Figures]:
    """Return the figures by contender, those of psql first.

    On disk, databases are not dropped: for some time after many files were deleted, ext4 takes milliseconds
    to create a file, which affects all tools and brings all ratios close to 1.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        contenders = [write(folder, series.chain) for write in writes]
        figures_by_name = {
            contender.name: Figures(contender.name, len(contender.chain)) for contender in contenders
        }
        if series.again:
            figures_by_name[BARE_NAME] = Figures(BARE_NAME, 0)
        for number in range(series.rounds):
            turn = number % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                figures = figures_by_name[contender.name]
                if figures.too_slow or number >= (contender.most_rounds or series.rounds):
                    continue
                dsn = create_database(server).dsn
                try:
                    _round(series, contender, dsn, figures, figures_by_name.get(BARE_NAME))
                except TooSlow:
                    figures.too_slow = True
                except Failed as failure:
                    sys.exit(f"{contender.name}: {failure}")
                if not on_disk:
                    drop_database(server, str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))
    return figures_by_name


def _round(series: Series, contender: Contender, dsn: str, figures: Figures, bare: Figures | None) -> None:
    figures.up.append(measured(contender.up(dsn)))
    _require(contender, dsn, len(contender.chain) * contender.chain.tables_each, contender.chain.rows)
    if series.again:
        figures.again.append(measured(contender.again(dsn)))
        if bare is not None and isinstance(contender, AigymDb):
            bare.again.append(measured(Command([sys.executable, "-c", BARE, dsn])))
    if series.rollbacks and (commands := contender.rollback(dsn, series.rollbacks)):
        figures.rollback.append(_sequentially(commands))
        _require(contender, dsn, (len(contender.chain) - series.rollbacks) * contender.chain.tables_each)


def _sequentially(commands: Sequence[Command]) -> Done:
    start_s = time.perf_counter()
    done = [measured(command) for command in commands]
    seconds = time.perf_counter() - start_s
    return Done(seconds, sum(run.processor_s for run in done), max(run.peak_bytes for run in done))


def _require(contender: Contender, dsn: str, tables: int, rows: int = 0) -> None:
    """Exit unless the expected tables and rows exist."""
    with psycopg.connect(dsn) as connection:
        actual_tables = connection.execute(TABLES).fetchone()
        actual_rows = connection.execute("select count(*) from table_1").fetchone() if rows else (0,)
    if actual_tables != (tables,) or actual_rows != (rows,):
        sys.exit(
            f"{contender.name} created {actual_tables} tables and {actual_rows} rows;"
            f" expected {tables} and {rows}."
        )

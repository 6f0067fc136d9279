"""A series: everybody once a round, in rotating order, on fresh databases of one server."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from aigym_db.database.servers import Server, create_database, drop_database
from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender
from benchmarks.migrations.contenders.ours import Ours
from benchmarks.migrations.peers import Write
from benchmarks.process import Command, Done, Failed, TooSlow, measured

TABLES = """select count(*) from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and relname like 'table\\_%'"""
BARE = "import sys, psycopg; psycopg.connect(sys.argv[1]).execute('select 1')"
BARE_NAME = "python, psycopg, connect"


@dataclass
class Figures:
    """What one contender took, a round each."""

    name: str
    migrations: int
    """Of how many; a shorter chain than the others' counts by the migration."""
    up: list[Done] = field(default_factory=list)
    again: list[Done] = field(default_factory=list)
    back: list[Done] = field(default_factory=list)
    too_slow: bool = False
    """Whether it was ended, and asked no more."""


@dataclass(frozen=True)
class Series:
    """What is measured of a chain."""

    title: str
    chain: Chain
    rounds: int
    again: bool = False
    """Whether a run with nothing to do is measured, too."""
    back: int = 0
    """How many are rolled back in the end."""


def run(series: Series, who: Sequence[Write], server: Server, *, on_disk: bool) -> Mapping[str, Figures]:
    """The figures by contender, psql's first.

    A database is left in place on a disk: for some time after many files were deleted, ext4 takes
    milliseconds to make one, for everybody alike, and all ratios come near to 1.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        everybody = [write(folder, series.chain) for write in who]
        found = {one.name: Figures(one.name, len(one.chain)) for one in everybody}
        if series.again:
            found[BARE_NAME] = Figures(BARE_NAME, 0)
        for number in range(series.rounds):
            turn = number % len(everybody)
            for one in everybody[turn:] + everybody[:turn]:
                figures = found[one.name]
                if figures.too_slow or number >= (one.most_rounds or series.rounds):
                    continue
                dsn = create_database(server).dsn
                try:
                    _round(series, one, dsn, figures, found.get(BARE_NAME))
                except TooSlow:
                    figures.too_slow = True
                except Failed as failure:
                    sys.exit(f"{one.name}: {failure}")
                if not on_disk:
                    drop_database(server, str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))
    return found


def _round(series: Series, one: Contender, dsn: str, figures: Figures, bare: Figures | None) -> None:
    figures.up.append(measured(one.up(dsn)))
    _require(one, dsn, len(one.chain) * one.chain.tables_each, one.chain.rows)
    if series.again:
        figures.again.append(measured(one.again(dsn)))
        if bare is not None and isinstance(one, Ours):
            bare.again.append(measured(Command([sys.executable, "-c", BARE, dsn])))
    if series.back and (commands := one.back(dsn, series.back)):
        figures.back.append(_one_after_the_other(commands))
        _require(one, dsn, (len(one.chain) - series.back) * one.chain.tables_each)


def _one_after_the_other(commands: Sequence[Command]) -> Done:
    began = time.perf_counter()
    done = [measured(command) for command in commands]
    seconds = time.perf_counter() - began
    return Done(seconds, sum(one.processor_s for one in done), max(one.peak_bytes for one in done))


def _require(one: Contender, dsn: str, tables: int, rows: int = 0) -> None:
    """Ends the benchmark unless the work was really done."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(TABLES).fetchone()
        there = connection.execute("select count(*) from table_1").fetchone() if rows else (0,)
    if found != (tables,) or there != (rows,):
        sys.exit(f"{one.name} left {found} tables and {there} rows; it should be {tables} and {rows}.")

"""Installation and discovery of the peers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender
from benchmarks.migrations.contenders.aigym_db import AigymDb
from benchmarks.migrations.contenders.alembic import Alembic
from benchmarks.migrations.contenders.dbmate import Dbmate
from benchmarks.migrations.contenders.graphile import Graphile
from benchmarks.migrations.contenders.psql import Psql
from benchmarks.migrations.contenders.sqitch import Sqitch
from benchmarks.migrations.contenders.yoyo import Yoyo

FROM_NPM = ("dbmate@2.36.0", "graphile-migrate@1.4.1")
FROM_PYPI = (
    "alembic==1.20.1",
    "sqlalchemy==2.1.9",
    "psycopg[binary]==3.3.9",
    "yoyo-migrations==9.0.0",
    "psycopg2-binary==2.9.13",
    "setuptools==65.5.0",
)
SQITCH = "install it with `apt-get install sqitch libdbd-pg-perl`"
INSTALL = "install it with --install-peers DIR"

Write = Callable[[Path, Chain], Contender]
"""Creates a contender with the files of a chain in a folder."""


def install(folder: Path) -> None:
    """Install all peers except Sqitch, which is a package of the operating system."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("npm"):
        subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), *FROM_NPM], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    subprocess.run([str(folder / "venv/bin/pip"), "install", "--quiet", *FROM_PYPI], check=True)


def contenders(peers: Path | None, psql: str) -> list[Write]:
    """Return psql, aigym-db and the installed peers; print a line for each peer that is missing."""
    available: list[Write] = [lambda folder, chain: Psql(folder, chain, psql), AigymDb]
    folder = (peers or Path("/nowhere")).absolute()
    for peer in (Dbmate, Alembic, Graphile, Yoyo):
        program = peer.installed(folder)
        if program is None:
            print(f"not installed: {peer.name} ({INSTALL})")
        else:
            available.append(_with(peer, program))
    sqitch = Sqitch.installed()
    if sqitch is None:
        print(f"not installed: {Sqitch.name} ({SQITCH})")
    else:
        available.append(lambda folder, chain: Sqitch(folder, chain, sqitch, psql))
    return available


def _with(peer: Callable[[Path, Chain, Path], Contender], program: Path) -> Write:
    return lambda folder, chain: peer(folder, chain, program)

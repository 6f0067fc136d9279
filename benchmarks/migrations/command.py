"""The command line: series, servers and goals."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aigym_db.database.servers.binaries import find
from aigym_db.database.servers.local import local
from aigym_db.database.servers.server import Server
from aigym_db.database.servers.throwaway import throwaway
from benchmarks.migrations import peers, report
from benchmarks.migrations.chain import big, mixed, one_table
from benchmarks.migrations.series import Figures, Series, run

ROLLED_BACK = 100
APPLIED = 120
"""Number of applied migrations of which the newest `ROLLED_BACK` are rolled back."""
BIG_BYTES = 50_000_000
KINDS = {"off": "commits do not wait for the disk", "on": "commits wait for the disk"}


def main() -> None:
    """Print a table for every selected series and kind of server."""
    arguments = _arguments()
    folder = arguments.install_peers or arguments.peers
    if arguments.install_peers:
        peers.install(folder)
    for disk in ("off", "on") if arguments.disk == "both" else (arguments.disk,):
        with server(on_disk=disk == "on") as running:
            contenders = peers.contenders(folder, find(running.name).program("psql"))
            for name in arguments.series or SERIES:
                series = SERIES[name](arguments.rounds, arguments.count)
                figures_by_name = run(series, contenders, running, on_disk=disk == "on")
                heading = report.title(series, f"{running.name}, {KINDS[disk]}")
                print("\n" + "\n".join(PRINTED[name](figures_by_name, heading)), flush=True)


@contextmanager
def server(*, on_disk: bool) -> Iterator[Server]:
    """Start a server whose commits wait for the disk, as in production, or one whose commits do not."""
    if not on_disk:
        with throwaway() as running:
            yield running
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        kept = local(folder)
        try:
            yield kept.start()
        finally:
            kept.stop()


def _tables(figures_by_name: Mapping[str, Figures], heading: str) -> Iterator[str]:
    yield from report.table(figures_by_name, lambda figures: figures.up, heading)
    yield from report.ratio_goal(figures_by_name, 0.9)


def _mixed(figures_by_name: Mapping[str, Figures], heading: str) -> Iterator[str]:
    yield from report.table(figures_by_name, lambda figures: figures.up, heading)
    yield from report.ratio_goal(figures_by_name, 0.95)


def _hundred(figures_by_name: Mapping[str, Figures], heading: str) -> Iterator[str]:
    rollback_heading = heading.replace(
        "migrations of one table", f"migrations of one table: the newest {ROLLED_BACK} rolled back", 1
    )
    yield from report.table(figures_by_name, lambda figures: figures.rollback, rollback_heading)
    yield from report.rollback_goal(figures_by_name, ROLLED_BACK, 0.3)
    yield ""
    nothing = heading.replace("migrations of one table", "applied migrations: nothing to do", 1)
    yield from report.table(figures_by_name, lambda figures: figures.again, nothing)
    yield from report.nothing_goal(figures_by_name, 0.15)


def _big(figures_by_name: Mapping[str, Figures], heading: str) -> Iterator[str]:
    yield from report.table(figures_by_name, lambda figures: figures.up, heading)
    yield from report.big_goal(figures_by_name, 4.5, 120)


SERIES: dict[str, Callable[[int, int], Series]] = {
    "tables": lambda rounds, count: Series(f"{count} migrations of one table", one_table(count), rounds),
    "mixed": lambda rounds, _: Series("100 migrations of 20 mixed statements", mixed(100), rounds),
    "hundred": lambda rounds, _: Series(
        f"{APPLIED} migrations of one table", one_table(APPLIED), rounds, again=True, rollbacks=ROLLED_BACK
    ),
    "big": lambda rounds, _: Series("one file of 50 MB, an INSERT a row", big(BIG_BYTES), rounds),
}
PRINTED = {"tables": _tables, "mixed": _mixed, "hundred": _hundred, "big": _big}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks migrations --")
    parser.add_argument("series", nargs="*", choices=[[], *SERIES], help="series to run (default: all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=1_000, help="number of migrations of one table")
    parser.add_argument(
        "--disk", choices=["off", "on", "both"], default="both", help="whether commits wait for the disk"
    )
    parser.add_argument(
        "--peers", type=Path, metavar="DIR", help="folder in which --install-peers installed the peers"
    )
    parser.add_argument(
        "--install-peers", type=Path, metavar="DIR", help="install the peers in this folder first"
    )
    return parser.parse_args()

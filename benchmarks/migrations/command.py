"""What is measured, on which servers, and what we mean to reach."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aigym_db.database.servers import Server, local, throwaway
from benchmarks.migrations import peers, report
from benchmarks.migrations.chain import big, mixed, one_table
from benchmarks.migrations.series import Figures, Series, run

BACK = 100
APPLIED = 120
"""How many migrations there are where `BACK` are rolled back."""
BIG_BYTES = 50_000_000
KINDS = {"off": "a server that does not wait for the disk", "on": "a server that keeps its promises"}


def main() -> None:
    """Prints a table for every series and every kind of server that was asked for."""
    arguments = _arguments()
    folder = arguments.install_peers or arguments.peers
    if arguments.install_peers:
        peers.install(folder)
    for disk in ("off", "on") if arguments.disk == "both" else (arguments.disk,):
        with server(on_disk=disk == "on") as running:
            who = peers.contenders(folder, running.programs.program("psql"))
            for name in arguments.series or SERIES:
                series = SERIES[name](arguments.rounds, arguments.count)
                found = run(series, who, running, on_disk=disk == "on")
                heading = report.title(series, f"{running.name}, {KINDS[disk]}")
                print("\n" + "\n".join(PRINTED[name](found, heading)), flush=True)


@contextmanager
def server(*, on_disk: bool) -> Iterator[Server]:
    """One whose commits reach the disk, as in production, or one that does not wait for it."""
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


def _tables(found: Mapping[str, Figures], heading: str) -> Iterator[str]:
    yield from report.table(found, lambda figures: figures.up, heading)
    yield from report.ratio_goal(found, 0.9)


def _mixed(found: Mapping[str, Figures], heading: str) -> Iterator[str]:
    yield from report.table(found, lambda figures: figures.up, heading)
    yield from report.ratio_goal(found, 0.95)


def _hundred(found: Mapping[str, Figures], heading: str) -> Iterator[str]:
    back = heading.replace(
        "migrations of one table", f"migrations of one table: the newest {BACK} rolled back", 1
    )
    yield from report.table(found, lambda figures: figures.back, back)
    yield from report.back_goal(found, BACK, 0.3)
    yield ""
    nothing = heading.replace("migrations of one table", "applied migrations: nothing to do", 1)
    yield from report.table(found, lambda figures: figures.again, nothing)
    yield from report.nothing_goal(found, 0.15)


def _big(found: Mapping[str, Figures], heading: str) -> Iterator[str]:
    yield from report.table(found, lambda figures: figures.up, heading)
    yield from report.big_goal(found, 4.5, 120)


SERIES: dict[str, Callable[[int, int], Series]] = {
    "tables": lambda rounds, count: Series(f"{count} migrations of one table", one_table(count), rounds),
    "mixed": lambda rounds, _: Series("100 migrations of 20 mixed statements", mixed(100), rounds),
    "hundred": lambda rounds, _: Series(
        f"{APPLIED} migrations of one table", one_table(APPLIED), rounds, again=True, back=BACK
    ),
    "big": lambda rounds, _: Series("one file of 50 MB, an INSERT a row", big(BIG_BYTES), rounds),
}
PRINTED = {"tables": _tables, "mixed": _mixed, "hundred": _hundred, "big": _big}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks migrations --")
    parser.add_argument("series", nargs="*", choices=[[], *SERIES], help="; all of them without one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=1_000, help="how many migrations of one table")
    parser.add_argument(
        "--disk", choices=["off", "on", "both"], default="both", help="whether commits wait for it"
    )
    parser.add_argument("--peers", type=Path, metavar="DIR", help="where --install-peers put them before")
    parser.add_argument("--install-peers", type=Path, metavar="DIR", help="install them there first")
    return parser.parse_args()

"""The table of a series, and its goals."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.migrations.contenders.aigym_db import AigymDb
from benchmarks.migrations.contenders.dbmate import Dbmate
from benchmarks.migrations.contenders.psql import Psql
from benchmarks.migrations.series import BARE_NAME, Figures, Series
from benchmarks.process import Done

OURS, LIMIT = AigymDb.name, Psql.name
MEBIBYTE = 1024 * 1024

Part = Callable[[Figures], Sequence[Done]]


def table(figures_by_name: Mapping[str, Figures], part: Part, title: str) -> Iterator[str]:
    """Yield medians, their range, the median of the rounds' ratios to psql, processor time and memory."""
    yield title
    yield ""
    yield f"{'':26}{'median':>11}{'spread':>18}{'× psql':>9}{'processor':>12}{'memory':>11}"
    limit = figures_by_name[LIMIT]
    for name, figures in figures_by_name.items():
        done = part(figures)
        if figures.too_slow:
            yield f"{name:26}{'terminated: too slow':>40}"
            continue
        if not done:
            continue
        seconds = [run.seconds for run in done]
        spread = f"{min(seconds):.3f}–{max(seconds):.3f}"
        processor = statistics.median(run.processor_s for run in done)
        memory = statistics.median(run.peak_bytes for run in done) / MEBIBYTE
        less = (
            "" if _same_length(figures, limit) else f"  {figures.migrations} of {limit.migrations} migrations"
        )
        less += "" if len(done) == len(part(limit)) or name == BARE_NAME else f", {len(done)} rounds"
        yield (
            f"{name:26}{statistics.median(seconds):9.3f} s{spread:>18}{_ratio(figures, limit, part):9.2f}"
            f"{processor:10.3f} s{memory:7.0f} MiB{less}"
        )


def goal(text: str, reached: bool) -> str:
    """Return a line with a goal and whether it is reached."""
    return f"{'reached' if reached else 'MISSED'}: {text}"


def ratio_goal(figures_by_name: Mapping[str, Figures], most: float) -> Iterator[str]:
    """Yield the goals for applying migrations, relative to psql."""
    ratio = _ratio(figures_by_name[OURS], figures_by_name[LIMIT], _up)
    yield goal(f"≤ {most:g} × psql (measured: {ratio:.2f} ×)", ratio <= most)
    yield from _first(figures_by_name, _up)


def rollback_goal(figures_by_name: Mapping[str, Figures], count: int, most_s: float) -> Iterator[str]:
    """Yield the goals for rolling back."""
    seconds = _median(figures_by_name[OURS].rollback)
    yield goal(f"{count} rolled back in ≤ {most_s:g} s (measured: {seconds:.3f} s)", seconds <= most_s)
    yield from _first(figures_by_name, lambda figures: figures.rollback)


def nothing_goal(figures_by_name: Mapping[str, Figures], most_s: float) -> Iterator[str]:
    """Yield the goals for a run with nothing to apply."""
    seconds, bare = _median(figures_by_name[OURS].again), _median(figures_by_name[BARE_NAME].again)
    over = f"{(seconds - bare) * 1000:+.0f} ms over {BARE_NAME}"
    yield goal(f"nothing to do in ≤ {most_s:g} s (measured: {seconds:.3f} s, {over})", seconds <= most_s)
    yield from _first(figures_by_name, lambda figures: figures.again, but={Dbmate.name, BARE_NAME})


def big_goal(figures_by_name: Mapping[str, Figures], most_s: float, most_mebibytes: float) -> Iterator[str]:
    """Yield the goals for time and memory with a large file."""
    seconds = _median(figures_by_name[OURS].up)
    peak = statistics.median(done.peak_bytes for done in figures_by_name[OURS].up) / MEBIBYTE
    yield goal(f"≤ {most_s:g} s (measured: {seconds:.2f} s)", seconds <= most_s)
    yield goal(f"≤ {most_mebibytes:g} MB (measured: {peak:.0f} MiB)", peak <= most_mebibytes)
    yield from _first(figures_by_name, _up)


def title(series: Series, kind: str) -> str:
    """Return the heading of a table."""
    return f"{series.title}, {series.rounds} rounds, {kind}"


def _first(
    figures_by_name: Mapping[str, Figures], part: Part, but: frozenset[str] | set[str] = frozenset()
) -> Iterator[str]:
    peers = {
        name: _median(part(figures)) / max(figures.migrations, 1)
        for name, figures in figures_by_name.items()
        if name not in {LIMIT, OURS, *but} and part(figures)
    }
    if peers:
        fastest = min(peers, key=lambda name: peers[name])
        own = _median(part(figures_by_name[OURS])) / figures_by_name[OURS].migrations
        yield goal(f"first of all peers (the next is {fastest})", own < peers[fastest])


def _ratio(figures: Figures, limit: Figures, part: Part) -> float:
    """Return the median of the rounds' ratios, per migration if the chains differ in length."""
    share = 1.0 if _same_length(figures, limit) else limit.migrations / figures.migrations
    pairs = zip(part(figures), part(limit), strict=False)
    return statistics.median(own.seconds * share / other.seconds for own, other in pairs)


def _same_length(figures: Figures, limit: Figures) -> bool:
    return figures.migrations in (0, limit.migrations)


def _median(done: Sequence[Done]) -> float:
    return statistics.median(run.seconds for run in done)


def _up(figures: Figures) -> Sequence[Done]:
    return figures.up

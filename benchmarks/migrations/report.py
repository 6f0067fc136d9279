"""The table of a series, and what we meant to reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.migrations.contenders.dbmate import Dbmate
from benchmarks.migrations.contenders.ours import Ours
from benchmarks.migrations.contenders.psql import Psql
from benchmarks.migrations.series import BARE_NAME, Figures, Series
from benchmarks.process import Done

OURS, LIMIT = Ours.name, Psql.name
MEBIBYTE = 1024 * 1024

Part = Callable[[Figures], Sequence[Done]]


def table(found: Mapping[str, Figures], part: Part, title: str) -> Iterator[str]:
    """Medians, their spread, the median of the rounds' ratios to psql, processor time and memory."""
    yield title
    yield ""
    yield f"{'':26}{'median':>11}{'spread':>18}{'× psql':>9}{'processor':>12}{'memory':>11}"
    limit = found[LIMIT]
    for name, figures in found.items():
        done = part(figures)
        if figures.too_slow:
            yield f"{name:26}{'ended: it took too long':>40}"
            continue
        if not done:
            continue
        seconds = [one.seconds for one in done]
        spread = f"{min(seconds):.3f}–{max(seconds):.3f}"
        processor = statistics.median(one.processor_s for one in done)
        memory = statistics.median(one.peak_bytes for one in done) / MEBIBYTE
        less = "" if _alike(figures, limit) else f"  {figures.migrations} of {limit.migrations} migrations"
        less += "" if len(done) == len(part(limit)) or name == BARE_NAME else f", {len(done)} rounds"
        yield (
            f"{name:26}{statistics.median(seconds):9.3f} s{spread:>18}{_ratio(figures, limit, part):9.2f}"
            f"{processor:10.3f} s{memory:7.0f} MiB{less}"
        )


def goal(word: str, reached: bool) -> str:
    """A line that says whether we are where we mean to be."""
    return f"{'reached' if reached else 'MISSED'}: {word}"


def ratio_goal(found: Mapping[str, Figures], most: float) -> Iterator[str]:
    """How close to psql we mean to apply."""
    ratio = _ratio(found[OURS], found[LIMIT], _up)
    yield goal(f"≤ {most:g} × psql (it is {ratio:.2f} ×)", ratio <= most)
    yield from _first(found, _up)


def back_goal(found: Mapping[str, Figures], count: int, most_s: float) -> Iterator[str]:
    """How fast we mean to undo."""
    seconds = _median(found[OURS].back)
    yield goal(f"{count} rolled back in ≤ {most_s:g} s (it is {seconds:.3f} s)", seconds <= most_s)
    yield from _first(found, lambda figures: figures.back)


def nothing_goal(found: Mapping[str, Figures], most_s: float) -> Iterator[str]:
    """How soon we mean to find that there is nothing to do."""
    seconds, bare = _median(found[OURS].again), _median(found[BARE_NAME].again)
    over = f"{(seconds - bare) * 1000:+.0f} ms over {BARE_NAME}"
    yield goal(f"nothing to do in ≤ {most_s:g} s (it is {seconds:.3f} s, {over})", seconds <= most_s)
    yield from _first(found, lambda figures: figures.again, but={Dbmate.name, BARE_NAME})


def big_goal(found: Mapping[str, Figures], most_s: float, most_mebibytes: float) -> Iterator[str]:
    """How long and how large we mean to be with a large file."""
    seconds = _median(found[OURS].up)
    peak = statistics.median(done.peak_bytes for done in found[OURS].up) / MEBIBYTE
    yield goal(f"≤ {most_s:g} s (it is {seconds:.2f} s)", seconds <= most_s)
    yield goal(f"≤ {most_mebibytes:g} MB (it is {peak:.0f} MiB)", peak <= most_mebibytes)
    yield from _first(found, _up)


def title(series: Series, kind: str) -> str:
    """What a series measured, and where."""
    return f"{series.title}, {series.rounds} rounds, {kind}"


def _first(
    found: Mapping[str, Figures], part: Part, but: frozenset[str] | set[str] = frozenset()
) -> Iterator[str]:
    peers = {
        name: _median(part(figures)) / max(figures.migrations, 1)
        for name, figures in found.items()
        if name not in {LIMIT, OURS, *but} and part(figures)
    }
    if peers:
        fastest = min(peers, key=lambda name: peers[name])
        own = _median(part(found[OURS])) / found[OURS].migrations
        yield goal(f"first of all peers (the next is {fastest})", own < peers[fastest])


def _ratio(figures: Figures, limit: Figures, part: Part) -> float:
    """The median of the rounds' ratios; by the migration where one did fewer."""
    share = 1.0 if _alike(figures, limit) else limit.migrations / figures.migrations
    pairs = zip(part(figures), part(limit), strict=False)
    return statistics.median(own.seconds * share / other.seconds for own, other in pairs)


def _alike(figures: Figures, limit: Figures) -> bool:
    return figures.migrations in (0, limit.migrations)


def _median(done: Sequence[Done]) -> float:
    return statistics.median(one.seconds for one in done)


def _up(figures: Figures) -> Sequence[Done]:
    return figures.up

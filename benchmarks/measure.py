"""Timing several ways to do the same thing, fairly: in turn, on the same machine, in the same minutes."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Timed = Callable[[], float]
"""Does something once and returns the seconds of it that count."""

ROUNDS = 15


@dataclass(frozen=True)
class Goal:
    """How close to another way we mean to be."""

    to: str
    """The name of the other way: the limit, or a peer."""
    ratio: float | None = None
    """At most so many times as long."""
    over_ms: float | None = None
    """At most so many milliseconds longer."""

    def reached(self, own_ms: float, other_ms: float) -> bool:
        ratio = self.ratio is not None and own_ms <= other_ms * self.ratio
        return ratio or (self.over_ms is not None and own_ms <= other_ms + self.over_ms)

    def __str__(self) -> str:
        ratio = f"≤ {self.ratio:g} × {self.to}" if self.ratio is not None else ""
        over = f"≤ {self.to} + {self.over_ms:g} ms" if self.over_ms is not None else ""
        return " or ".join(text for text in (ratio, over) if text)


@dataclass(frozen=True)
class Table:
    """What was measured: milliseconds by name, and what we meant to reach."""

    title: str
    times: Mapping[str, Sequence[float]]
    goals: Mapping[str, Sequence[Goal]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        medians = {name: statistics.median(found) for name, found in self.times.items()}
        limit = next(iter(medians), "")
        width = max(map(len, medians), default=0)
        lines = [self.title, "", f"{'':{width}} {'median':>11} {'fastest':>11} {'ratio':>7}"]
        for name, found in self.times.items():
            ratio = medians[name] / medians[limit]
            lines.append(f"{name:{width}} {medians[name]:8.1f} ms {min(found):8.1f} ms {ratio:6.2f}×")
        for name, goals in self.goals.items():
            for goal in goals if name in medians else ():
                if goal.to in medians:
                    word = "reached" if goal.reached(medians[name], medians[goal.to]) else "MISSED"
                    ratio = medians[name] / medians[goal.to]
                    lines.append(f"{word}: {name} {goal} (it is {ratio:.2f} ×)")
        return "\n".join([*lines, *self.notes])


def interleaved(ways: Mapping[str, Timed], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds by way. Each round does all of them and begins with another one.

    A slow moment of the machine then meets all alike. A first round that does not count fills caches.
    """
    names = list(ways)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            milliseconds = ways[name]() * 1000
            if turn:
                found[name].append(milliseconds)
    return found


def process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Timed:
    """A whole process, from its start to its end; one that fails ends the benchmark with what it said."""

    def timed() -> float:
        began = time.perf_counter()
        done = subprocess.run(
            command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return seconds

    return timed


def call(action: Callable[[], object]) -> Timed:
    """One call of a function."""

    def timed() -> float:
        began = time.perf_counter()
        action()
        return time.perf_counter() - began

    return timed

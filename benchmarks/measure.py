"""Interleaved timing of several ways to do the same thing."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Timed = Callable[[], float]
"""Executes something once and returns the measured seconds."""

ROUNDS = 15


@dataclass(frozen=True)
class Goal:
    """A goal relative to another way."""

    to: str
    """The name of the limit or peer."""
    ratio: float | None = None
    """The greatest ratio."""
    over_ms: float | None = None
    """The greatest difference, in milliseconds."""

    def reached(self, own_ms: float, other_ms: float) -> bool:
        ratio = self.ratio is not None and own_ms <= other_ms * self.ratio
        return ratio or (self.over_ms is not None and own_ms <= other_ms + self.over_ms)

    def __str__(self) -> str:
        ratio = f"≤ {self.ratio:g} × {self.to}" if self.ratio is not None else ""
        over = f"≤ {self.to} + {self.over_ms:g} ms" if self.over_ms is not None else ""
        return " or ".join(text for text in (ratio, over) if text)


@dataclass(frozen=True)
class Table:
    """Measured milliseconds and goals, by name."""

    title: str
    times: Mapping[str, Sequence[float]]
    goals: Mapping[str, Sequence[Goal]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        medians = {name: statistics.median(values) for name, values in self.times.items()}
        limit = next(iter(medians), "")
        width = max(map(len, medians), default=0)
        lines = [self.title, "", f"{'':{width}} {'median':>11} {'fastest':>11} {'ratio':>7}"]
        for name, values in self.times.items():
            ratio = medians[name] / medians[limit]
            lines.append(f"{name:{width}} {medians[name]:8.1f} ms {min(values):8.1f} ms {ratio:6.2f}×")
        for name, goals in self.goals.items():
            for goal in goals if name in medians else ():
                if goal.to in medians:
                    word = "reached" if goal.reached(medians[name], medians[goal.to]) else "MISSED"
                    ratio = medians[name] / medians[goal.to]
                    lines.append(f"{word}: {name} {goal} (measured: {ratio:.2f} ×)")
        return "\n".join([*lines, *self.notes])


def interleaved(ways: Mapping[str, Timed], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Return milliseconds by name. Each round runs all ways and begins with a different one.

    A slow period of the machine then affects all of them. The first round fills caches and is not counted.
    """
    names = list(ways)
    milliseconds_by_name: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            milliseconds = ways[name]() * 1000
            if turn:
                milliseconds_by_name[name].append(milliseconds)
    return milliseconds_by_name


def process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Timed:
    """Return a timer of a whole process. If the process fails, the benchmark exits with its output."""

    def timed() -> float:
        start_s = time.perf_counter()
        result = subprocess.run(
            command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - start_s
        if result.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")
        return seconds

    return timed


def call(action: Callable[[], object]) -> Timed:
    """Return a timer of one call of a function."""

    def timed() -> float:
        start_s = time.perf_counter()
        action()
        return time.perf_counter() - start_s

    return timed

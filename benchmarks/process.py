"""Measurement of a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.startup import COMPILED

LIMIT_S = 300.0
LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, additional environment variables, and the working directory."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Measurements of a process, without those of the server."""

    seconds: float
    processor_s: float
    peak_bytes: int
    """The peak memory of the process, or of a process it waited for."""


class TooSlow(Exception):
    """A process was terminated because it exceeded the time limit."""


class Failed(Exception):
    """A process failed; the message contains its output."""


def measured(command: Command, limit_s: float = LIMIT_S) -> Done:
    """Run a command and return its measurements.

    Raise Failed if its exit status is not 0, TooSlow if it takes longer than `limit_s` seconds.
    """
    environment = {**os.environ, **COMPILED, **command.environment}
    with tempfile.NamedTemporaryFile() as log:
        launch = [sys.executable, "-I", "-S", str(LAUNCH), str(limit_s), log.name, *command.words]
        launched = subprocess.run(
            launch, env=environment, cwd=command.folder, capture_output=True, text=True, check=True
        )
        seconds, processor_s, peak, status, timeouts = launched.stdout.split()
        if int(timeouts):
            raise TooSlow
        if int(status):
            text = Path(log.name).read_text(errors="replace")[-4_000:]
            raise Failed(f"{' '.join(command.words)[:400]} failed ({status}):\n{text}")
    # Linux counts kibibytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Done(float(seconds), float(processor_s), int(peak) * unit)

"""A whole process, measured from its start to its end."""

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
    """What to run: words, what is added to the environment, and in which folder."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a process took, without the server's part."""

    seconds: float
    processor_s: float
    peak_bytes: int
    """The most memory it held at once, or a process it waited for."""


class TooSlow(Exception):
    """A process was ended because it had not finished within the limit."""


class Failed(Exception):
    """A process ended with an error; what it said is the message."""


def measured(command: Command, limit_s: float = LIMIT_S) -> Done:
    """Runs a command and waits for it.

    Raises Failed with what it said, TooSlow when it takes longer than `limit_s` seconds.
    """
    whole = {**os.environ, **COMPILED, **command.environment}
    with tempfile.NamedTemporaryFile() as said:
        launch = [sys.executable, "-I", "-S", str(LAUNCH), str(limit_s), said.name, *command.words]
        told = subprocess.run(
            launch, env=whole, cwd=command.folder, capture_output=True, text=True, check=True
        )
        seconds, processor_s, peak, status, late = told.stdout.split()
        if int(late):
            raise TooSlow
        if int(status):
            text = Path(said.name).read_text(errors="replace")[-4_000:]
            raise Failed(f"{' '.join(command.words)[:400]} failed ({status}):\n{text}")
    # Linux counts kibibytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Done(float(seconds), float(processor_s), int(peak) * unit)

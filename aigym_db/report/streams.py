"""Standard output and error, which may not take what is written: another encoding, a full disk, no reader."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TextIO, cast


def prepare() -> None:
    """From now on both streams are there and take every character.

    One that their encoding lacks appears as an escape, e.g. `\\u20ac`. Where the process was started without
    them (`>&-`), what is written goes nowhere.
    """
    sys.stdout = sys.stdout or os.fdopen(_nowhere(), "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(_nowhere(), "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """From now on what is written goes nowhere, and what Python holds of it until it exits as well."""
    nowhere = _nowhere()
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def guarded(stream: TextIO, guard: Callable[[TextIO], AbstractContextManager[None]]) -> TextIO:
    """The stream, each writing to it inside a `guard(stream)`; for a library that writes by itself."""
    return cast(TextIO, _Guarded(stream, guard))


class _Guarded(io.TextIOBase):
    def __init__(self, stream: TextIO, guard: Callable[[TextIO], AbstractContextManager[None]]) -> None:
        self._stream, self._guard = stream, guard

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        with self._guard(self._stream):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._guard(self._stream):
            self._stream.flush()


def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)

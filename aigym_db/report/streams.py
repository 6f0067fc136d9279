"""Standard output and error when they cannot be written: encoding, full disk, closed pipe."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TextIO, cast


def prepare() -> None:
    """Make both streams accept every character.

    Characters that the encoding lacks are printed as escapes, e.g. `\\u20ac`. A stream that is closed when
    the process starts (`>&-`) is replaced by the null device.
    """
    sys.stdout = sys.stdout or os.fdopen(_null_device(), "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(_null_device(), "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Redirect the stream to the null device, including what Python has buffered."""
    null = _null_device()
    os.dup2(null, stream.fileno())
    os.close(null)


def guarded(stream: TextIO, guard: Callable[[TextIO], AbstractContextManager[None]]) -> TextIO:
    """Return the stream with each write inside `guard(stream)`, for libraries that write themselves."""
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


def _null_device() -> int:
    return os.open(os.devnull, os.O_WRONLY)

"""SIGINT, SIGTERM and SIGHUP as a flag, checked at the points at which a run can stop."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

SLICE_S = 0.05
"""Interval at which a pause checks for a signal, in seconds."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Store the first signal for the duration of the block; raise KeyboardInterrupt at the second one.

    A signal that is ignored when the block starts, as under nohup, stays ignored. Outside the main thread
    Python cannot handle signals, and none is stored.
    """

    def __init__(self) -> None:
        self.signal: str | None = None
        """The name of the signal received, e.g. `SIGTERM`, or another reason to stop."""
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._before = {
                number: signal.signal(number, self._store)
                for number in _SIGNALS
                if signal.getsignal(number) is not signal.SIG_IGN
            }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def request(self, reason: str) -> None:
        """Stop as after a signal, for another reason; no effect if a signal or a reason is stored already."""
        self.signal = self.signal or reason

    def pause(self, seconds: float) -> None:
        """Sleep for the given time, or until at most SLICE_S after a signal."""
        until = time.monotonic() + seconds
        while self.signal is None and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_S))

    def _store(self, number: int, _: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number).name

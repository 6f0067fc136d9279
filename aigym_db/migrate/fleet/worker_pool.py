"""Jobs on threads, a few at a time; whatever they tell is heard on the thread that gave them out."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import NoReturn, TypeVar

from aigym_db.migrate.stop import SLICE_S, Stop

J = TypeVar("J")
R = TypeVar("R")


class WorkerPool:
    """Threads for one job each, never more than `most` at the same time.

    Signals are for the main thread, and so is a report: it waits here and calls what the threads hand it.
    """

    def __init__(self, most: int, stop: Stop) -> None:
        self.most = most
        self.stop = stop
        self._heard: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def hear(self, said: Callable[[], None]) -> None:
        """Has something called by `work`, in the order it was said; for the jobs."""
        self._heard.put(said)

    def work(
        self,
        jobs: Iterable[J],
        do: Callable[[J], R],
        ended: Callable[[J, R], None],
        *,
        may_begin: Callable[[], bool] = lambda: True,
        leave: Callable[[], bool] = lambda: False,
    ) -> None:
        """Does the jobs in order, and calls `ended` for each; returns once none is at work.

        None begins after `may_begin` said no. When `leave` says yes, those at work are left to themselves.
        An exception of a job or of `ended` is raised here, after those at work were stopped as by a signal.
        """
        waiting, at_work = deque(jobs), 0

        def end(job: J, result: Callable[[], R]) -> None:
            nonlocal at_work
            at_work -= 1
            ended(job, result())

        def run(job: J) -> None:
            try:
                done = do(job)
            except BaseException as error:
                self.hear(partial(end, job, partial(_raise, error)))
            else:
                self.hear(partial(end, job, lambda: done))

        try:
            while not leave():
                while waiting and at_work < self.most and may_begin():
                    # Not a pool: Python would wait for its threads at exit, also after a second Ctrl-C.
                    threading.Thread(target=run, args=(waiting.popleft(),), daemon=True).start()
                    at_work += 1
                if not at_work:
                    return
                self._listen()
        except Exception:
            self.stop.signal = self.stop.signal or "a fault"
            while at_work:
                with suppress(Exception):
                    self._listen()
            raise

    def _listen(self) -> None:
        """Calls the next thing that was said, if there is one soon."""
        try:
            said = self._heard.get(timeout=SLICE_S)
        except queue.Empty:
            return
        said()


def _raise(error: BaseException) -> NoReturn:
    raise error

"""A pool of worker threads whose results and events are handled on the thread that started them."""

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
    """At most `size` threads at a time, one per job.

    Python delivers signals to the main thread, and reports are written there: `work` waits on the calling
    thread and runs the callbacks that the workers post.
    """

    def __init__(self, size: int, stop: Stop) -> None:
        self.size = size
        self.stop = stop
        self._callbacks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def post(self, callback: Callable[[], None]) -> None:
        """Queue a call for the thread that runs `work`; called from jobs. The order is kept."""
        self._callbacks.put(callback)

    def work(
        self,
        jobs: Iterable[J],
        run_job: Callable[[J], R],
        on_end: Callable[[J, R], None],
        *,
        may_start: Callable[[], bool] = lambda: True,
        abandon: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run the jobs in order, call `on_end` after each, and return when no job is running.

        No job starts once `may_start` returns False. Once `abandon` returns True, this returns without
        waiting for the running jobs. An exception of a job or of `on_end` is raised here, after the other
        running jobs have been stopped as by a signal.
        """
        waiting, running = deque(jobs), 0

        def end(job: J, result: Callable[[], R]) -> None:
            nonlocal running
            running -= 1
            on_end(job, result())

        def run(job: J) -> None:
            try:
                result = run_job(job)
            except BaseException as error:
                self.post(partial(end, job, partial(_raise, error)))
            else:
                self.post(partial(end, job, lambda: result))

        try:
            while not abandon():
                while waiting and running < self.size and may_start():
                    # No ThreadPoolExecutor: Python waits for its threads at exit, also after a second Ctrl-C.
                    threading.Thread(target=run, args=(waiting.popleft(),), daemon=True).start()
                    running += 1
                if not running:
                    return
                self._run_next_callback()
        except Exception:
            self.stop.request("a fault")
            while running:
                with suppress(Exception):
                    self._run_next_callback()
            raise

    def _run_next_callback(self) -> None:
        """Run the next posted call, if there is one within SLICE_S seconds."""
        try:
            callback = self._callbacks.get(timeout=SLICE_S)
        except queue.Empty:
            return
        callback()


def _raise(error: BaseException) -> NoReturn:
    raise error

"""Waiting for a condition: the deadline counts polls, so a loaded machine gets as many as an idle one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")

POLL_S = 0.01
POLLS = 6_000
"""Polls before a condition counts as never true: one minute on an idle machine, more on a loaded one."""
PROCESS_TIMEOUT_S = 600.0
"""Longest run of a child process. Only a process that hangs reaches it."""


def wait_until(
    condition: Callable[[], T], description: str, *, poll_s: float = POLL_S, polls: int = POLLS
) -> T:
    """Return the first true value of a condition; raise AssertionError if none of `polls` polls gives one."""
    for _ in range(polls):
        if value := condition():
            return value
        time.sleep(poll_s)
    raise AssertionError(f"never: {description}")


def wait_for_row(
    connection: psycopg.Connection[Any], query: str, parameters: Any = None, **more: Any
) -> tuple[Any, ...]:
    """Return the first row of a query, once it has one."""
    (row,) = wait_until(
        lambda: [
            row for row in [connection.execute(query.encode(), parameters).fetchone()] if row is not None
        ],
        query,
        **more,
    )
    return row

"""A run in a process with more than 1024 open file descriptors."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from aigym_db.database import ledger
from aigym_db.migrate.apply import migrate

PLENTY = 1100


@pytest.fixture
def many_open() -> Iterator[None]:
    """Open every file descriptor below 1024, and more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], PLENTY + 100), before[1]))
    with ExitStack() as opened:
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        for _ in range(PLENTY):
            opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        yield


def test_descriptors_beyond_1024_work(database, many_open, write, other) -> None:
    line = (write(1, "create table a ();"), write(2, "vacuum a;", options=" transaction:false"))

    migrate(database, line)

    assert [row.version for row in ledger.applied(other)] == [1, 2]

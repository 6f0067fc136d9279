from collections.abc import Iterator
from queue import SimpleQueue
from threading import Barrier, Event
from typing import Any, cast

import psycopg
import pytest

from aigym_db.access import distribution
from aigym_db.access.distribution import distribute
from aigym_db.database.migration_session import Connection

CONNECTIONS = cast("list[Connection]", ["one", "two"])


def test_results_have_the_order_of_the_units_and_connections_work_at_the_same_time() -> None:
    both = Barrier(2, timeout=60)

    def work(connection: Any, unit: int) -> tuple[str, int]:
        both.wait()
        return connection, unit

    results = [*distribute(CONNECTIONS, range(4), work)]

    assert [unit for _, unit in results] == [0, 1, 2, 3]
    assert {connection for connection, _ in results} == {"one", "two"}


def test_an_error_of_a_unit_propagates() -> None:
    executed = Event()

    def work(connection: Any, unit: int) -> None:
        if unit == 0:
            raise ValueError("rejected")
        executed.set()

    results = distribute(CONNECTIONS[:1], [1, 0], work)
    assert next(results) is None
    with pytest.raises(ValueError, match="rejected"):
        next(results)

    assert executed.is_set()


class Interrupted:
    """A connection whose cancellation is recorded, and can fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.cancelled = Event()
        self.fails = fails

    def cancel_safe(self) -> None:
        self.cancelled.set()
        if self.fails:
            raise psycopg.OperationalError("the server has closed the connection")


def interrupted() -> Iterator[int]:
    yield 0
    raise KeyboardInterrupt


def test_a_connection_that_cannot_be_cancelled_does_not_keep_the_others_from_it() -> None:
    connections = [Interrupted(fails=True), Interrupted()]

    with pytest.raises(KeyboardInterrupt):
        next(distribute(cast("list[Connection]", connections), interrupted(), lambda *_: None))

    assert [connection.cancelled.is_set() for connection in connections] == [True, True]


def test_a_unit_that_has_not_begun_is_not_executed_after_an_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread has taken the unit, but not a connection, when the statements are cancelled."""
    connection = Interrupted()
    executed = Event()

    class Waiting(SimpleQueue[Any]):
        def get(self, *arguments: Any) -> Any:
            assert connection.cancelled.wait(60)
            return super().get(*arguments)

    monkeypatch.setattr(distribution, "SimpleQueue", Waiting)

    with pytest.raises(KeyboardInterrupt):
        next(distribute(cast("list[Connection]", [connection]), interrupted(), lambda *_: executed.set()))

    assert not executed.is_set()

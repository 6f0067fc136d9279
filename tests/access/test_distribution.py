from threading import Barrier, Event
from typing import Any, cast

import pytest

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

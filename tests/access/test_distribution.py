from threading import Barrier
from typing import Any, cast

import pytest

from aigym_db.access.call_plans import ReadOnlyCall, distinct_calls
from aigym_db.access.distribution import distribute
from aigym_db.database.migration_session import Connection

CONNECTIONS = cast("list[Connection]", ["one", "two"])


def test_results_have_the_order_of_the_units_and_connections_work_at_the_same_time() -> None:
    both = Barrier(2, timeout=10)

    def work(connection: Any, unit: int) -> tuple[str, int]:
        both.wait()
        return connection, unit

    results = [*distribute(CONNECTIONS, range(4), work)]

    assert [unit for _, unit in results] == [0, 1, 2, 3]
    assert {connection for connection, _ in results} == {"one", "two"}


def test_a_connection_is_free_again_after_an_error() -> None:
    def work(connection: Any, unit: int) -> int:
        if unit == 0:
            raise ValueError("rejected")
        return unit

    with pytest.raises(ValueError, match="rejected"):
        [*distribute(CONNECTIONS[:1], range(3), work)]

    assert [*distribute(CONNECTIONS, [1, 2], work)] == [1, 2]


def test_of_calls_with_equal_expectations_the_first_is_distinct() -> None:
    def call(function: str, name: str, *expected: str) -> ReadOnlyCall:
        return ReadOnlyCall(function, f"{function}({name})", f"{function}()", frozenset(), expected)

    first, other = call("app.log", "all", "1 row", ""), call("app.log", "old", "0 rows", "")
    again, never = call("app.log", "new", "1 row", ""), call("app.log", "wrong", "", "")
    second = call("app.list", "all", "1 row", "")

    assert distinct_calls([first, other, again, never, second]) == (first, other, second)

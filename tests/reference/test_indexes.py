"""Every index of the reference database has a query of the benchmark `queries` that uses it."""

from __future__ import annotations

from benchmarks.queries.command import loaded
from benchmarks.queries.indexes import used_indexes
from benchmarks.queries.queries import read_queries
from benchmarks.queries.runs import rows

SCALE = 0.05
"""A twentieth of the rows: the planner uses the indexes only if it avoids sequential scans."""


def test_every_index_is_used_by_a_query_or_supports_a_constraint() -> None:
    with loaded(SCALE) as connection:
        indexes = used_indexes(connection, read_queries(), sequential=False)
        empty = [
            query.name for query in read_queries() if query.kind != "job" and not rows(connection, query)
        ]

    assert len(indexes) > 150
    assert [index.name for index in indexes if index.unused] == []
    assert empty == []

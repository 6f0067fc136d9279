"""Queries of the reference database as the people who make them, on the row counts that the design names.

    python -m benchmarks queries -- [--scale 1] [--runs 200] [--write docs/indexes.md]

Every query of queries.toml is executed as its person and as the owner of the tables, in turn. The second
table lists every index with the queries that use it; --write writes it as a page of the documentation.
"""

from benchmarks.queries.command import main

__all__ = ["main"]

"""What an application feels of 40 migrations on tables of a million rows: by us, and by psql.

    python -m benchmarks load -- [--rows 1000000] [--migrations 40] [--lock-timeout-ms 2000]

Writers, readers and transactions that stay open for seconds are at work all the time; every statement of
theirs is timed. The migrations are written as for production, the same files for both, each on a copy of one
database.
"""

from benchmarks.load.command import main

__all__ = ["main"]

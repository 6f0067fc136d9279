"""Effect of 40 migrations on an application with tables of a million rows: aigym-db and psql.

    python -m benchmarks load -- [--rows 1000000] [--migrations 40] [--lock-timeout-ms 2000]

Writers, readers and transactions that stay open for seconds run all the time; each of their statements is
timed. The migrations are written as for production; both run the same files, each on a clone of one database.
"""

from benchmarks.load.command import main

__all__ = ["main"]

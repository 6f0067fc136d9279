"""Time to apply and roll back migrations, against psql, dbmate, Alembic, graphile-migrate, yoyo, Sqitch.

    python -m benchmarks migrations -- [SERIES…] [--rounds 5] [--count 1000] [--disk off|on|both]
        [--peers DIR | --install-peers DIR]

Series: tables (1,000 migrations of one table), mixed (100 of 20 statements), hundred (rollback of 100, and a
no-op run), big (one file of 50 MB). Every figure is for a whole process. Each round runs every tool once, in
turn, on new databases of one server, so that a slow period of the machine affects all of them. The tables and
rows that a run created are counted before its time is accepted.
"""

from benchmarks.migrations.command import main

__all__ = ["main"]

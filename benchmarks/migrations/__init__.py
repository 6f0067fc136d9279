"""Time to apply and roll back migrations, against psql, dbmate, Alembic, graphile-migrate, yoyo, Sqitch.

    python -m benchmarks migrations -- [SERIES…] [--rounds 5] [--count 1000] [--disk off|on|both]
        [--peers DIR | --install-peers DIR]

Series: tables (1,000 migrations of one table), mixed (100 of 20 statements), hundred (rollback of 100, and a
no-op run), big (one file of 50 MB). Every figure is a whole process from its start to its
end. Each round runs everybody once, in turn, on fresh databases of one server, so that a slow moment of the
machine meets all of them; what a run left in the catalog is counted before its time counts.
"""

from benchmarks.migrations.command import main

__all__ = ["main"]

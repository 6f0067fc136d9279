"""The chain as a non-superuser owner that does not bypass row security, as on a managed server."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Observer


class Listener(Observer):
    """Collects the notices of a run."""

    def __init__(self):
        self.notices = []

    def notice(self, migration, notice):
        self.notices.append((migration.version, notice.severity, notice.message))


@pytest.mark.parametrize("direction", ["up", "down"])
def test_the_final_state_is_that_of_a_superuser(here, direction) -> None:
    assert here.holdings(direction, "plain") == here.holdings(direction)


def test_an_invalid_toast_index_of_a_killed_reindex_is_named_and_does_not_block_the_run(here, stage) -> None:
    with here.database("up", "plain") as dsn:
        running = stage(dsn, "commit intent 9 3")
        with closing(psycopg.connect(dsn)) as reader:
            reader.execute("lock table app.notes in access share mode")
            running.open()
            running.wait_until_stopped_by(reader)
            running.process.kill()
            running.wait_until_gone()
        listener = Listener()

        migrate(dsn, here.line, observer=listener)

        (warning,) = [text for _, severity, text in listener.notices if "superuser" in text]
        with psycopg.connect(dsn, user="postgres") as superuser:
            (index,) = superuser.execute(
                "select indexrelid::regclass::text from pg_index where not indisvalid"
            ).fetchone()
    assert f"`drop index concurrently {index}`" in warning

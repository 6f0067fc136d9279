"""The chain as a role that is not a superuser and does not bypass row security, as on a managed server."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Observer


class Listener(Observer):
    """Remembers what it is told beside the success."""

    def __init__(self):
        self.said = []

    def notice(self, migration, notice):
        self.said.append((migration.version, notice.severity, notice.message))


@pytest.mark.parametrize("direction", ["up", "down"])
def test_it_ends_where_a_superuser_does(here, direction) -> None:
    assert here.holdings(direction, "plain") == here.holdings(direction)


def test_what_is_left_of_a_reindex_and_only_a_superuser_may_remove_is_named_and_in_nobodys_way(
    here, stage
) -> None:
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

        (warning,) = [text for _, severity, text in listener.said if "superuser" in text]
        with psycopg.connect(dsn, user="postgres") as superuser:
            (left,) = superuser.execute(
                "select indexrelid::regclass::text from pg_index where not indisvalid"
            ).fetchone()
    assert f"`drop index concurrently {left}`" in warning

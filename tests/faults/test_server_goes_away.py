"""A server that ends between two statements of a run, and restarts or does not."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from aigym_db.database import ledger, locks
from aigym_db.database.servers import process
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.local import LocalServer, local
from aigym_db.errors import CannotConnect, ConnectionLost, Interrupted, LedgerChanged
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Finished, Observer, Waiting
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback
from aigym_db.migrate.session import reconnect, session_settings
from aigym_db.model.migration import Migration
from aigym_db.model.source import Source
from aigym_db.project.migrations import parse


@pytest.fixture(scope="module")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server that keeps its data when it stops."""
    folder = tmp_path_factory.mktemp("durable")
    running = local(folder)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture
def dsn(durable: LocalServer) -> str:
    """A fresh database on it; the server runs."""
    durable.start()
    return create_database(durable.server()).dsn


def crash(connection: psycopg.Connection) -> None:
    """Kill the server without a checkpoint and wait for its end."""
    (folder,) = connection.execute("show data_directory").fetchone()
    process.kill(Path(folder))


INSERT = "insert into steps values ({0});"
"""The statement of each migration: an extra or a missing row is visible."""


def line(count: int = 4) -> tuple[Migration, ...]:
    """Migrations that insert one row each; the third is non-transactional."""

    def step(version: int) -> Migration:
        up = f"create table steps (n int);\n{INSERT.format(1)}" if version == 1 else INSERT.format(version)
        down = "drop table steps;" if version == 1 else f"delete from steps where n = {version};"
        options = " transaction:false" if version == 3 else ""
        text = f"-- migrate:up{options}\n{up}\n-- migrate:down\n{down}\n"
        return parse(Source(f"migrations/{version:04d}_step.sql", text), version, "step")

    return tuple(step(version) for version in range(1, count + 1))


def steps(dsn: str) -> list[int]:
    with closing(psycopg.connect(dsn)) as connection:
        return [row[0] for row in connection.execute("select n from steps order by n")]


def applied(dsn: str) -> list[int]:
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        return [row.version for row in ledger.applied(connection)]


class Accident(Observer):
    """Calls a function once, after a migration or at the first wait for a reason, and collects all waits."""

    def __init__(
        self, action: Callable[[], object], after: int | None = None, reason: str | None = None
    ) -> None:
        self.action, self.after, self.reason = action, after, reason
        self.waits: list[Waiting] = []
        self.done: list[int] = []
        self.happened = threading.Event()
        self.meanwhile: Callable[[Waiting], object] = lambda waiting: None

    def finished(self, finished: Finished) -> None:
        self.done.append(finished.migration.version)
        if finished.migration.version == self.after:
            self._happen()

    def waiting(self, waiting: Waiting) -> None:
        self.waits.append(waiting)
        self.meanwhile(waiting)
        if waiting.reason == self.reason:
            self._happen()

    @property
    def reasons(self) -> set[str]:
        return {waiting.reason for waiting in self.waits}

    def _happen(self) -> None:
        if not self.happened.is_set():
            self.happened.set()
            self.action()


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("how", ["restarted", "crashed"])
def test_a_run_waits_for_a_server_restarted_between_two_migrations_and_continues(
    durable, dsn, after: int, how: str
) -> None:
    def end() -> None:
        if how == "crashed":
            with closing(psycopg.connect(dsn, autocommit=True)) as connection:
                crash(connection)
        else:
            durable.stop()

    accident = Accident(end, after=after)
    accident.meanwhile = lambda waiting: durable.start() if waiting.reason == "server" else None

    done = migrate(dsn, line(), observer=accident, options=Options(durable=True))

    assert [result.migration.version for result in done] == applied(dsn) == steps(dsn) == [1, 2, 3, 4]
    assert (accident.done, accident.reasons) == ([1, 2, 3, 4], {"server"})


def test_a_rollback_continues_after_a_restart_and_rolls_back_the_planned_migrations(durable, dsn) -> None:
    migrate(dsn, line())
    accident = Accident(durable.stop, after=4)
    accident.meanwhile = lambda waiting: durable.start() if waiting.reason == "server" else None

    done = rollback(dsn, line(), steps=2, yes=True, observer=accident)

    assert [result.migration.version for result in done] == [4, 3]
    assert applied(dsn) == steps(dsn) == [1, 2]


def test_commits_lost_in_a_crash_are_applied_again(durable, dsn, monkeypatch) -> None:
    # What a crash takes of the last moments, where commits do not wait for the disk.
    def lose() -> None:
        with closing(psycopg.connect(dsn, autocommit=True)) as connection:
            connection.execute("alter table aigym_db.event disable trigger user")
            connection.execute("delete from aigym_db.event where version = 2")
            connection.execute("alter table aigym_db.event enable trigger user")
            connection.execute("delete from steps where n = 2")
        durable.stop()

    accident = Accident(lose, after=2)
    accident.meanwhile = lambda waiting: durable.start() if waiting.reason == "server" else None

    done = migrate(dsn, line(), observer=accident)

    assert [result.migration.version for result in done] == applied(dsn) == steps(dsn) == [1, 2, 3, 4]
    assert accident.done == [1, 2, 2, 3, 4]


def test_a_plan_stops_if_the_ledger_changed_while_the_server_was_down(durable, dsn) -> None:
    migrate(dsn, line())
    others = (*line(), *line(5)[4:])

    def meanwhile(waiting: Waiting) -> None:
        if waiting.reason == "server":
            accident.meanwhile = lambda waiting: None
            durable.start()
            migrate(dsn, others, to=4)
            migrate(dsn, others)

    accident = Accident(durable.stop, after=4)
    accident.meanwhile = meanwhile

    with pytest.raises(LedgerChanged, match="while the server was away"):
        rollback(dsn, line(), steps=2, yes=True, observer=accident)

    assert applied(dsn) == steps(dsn) == [1, 2, 3, 4, 5]


def test_a_server_restart_while_a_runner_waits_for_the_lock_changes_nothing(durable, dsn) -> None:
    holder = psycopg.connect(dsn, autocommit=True)
    assert locks.try_acquire(holder, 1)
    accident = Accident(lambda: (durable.stop(), durable.start()), reason="runner")

    done = migrate(dsn, line(), observer=accident)

    assert [result.migration.version for result in done] == applied(dsn) == steps(dsn) == [1, 2, 3, 4]
    assert accident.reasons == {"runner", "server"}
    holder.close()


def test_a_server_that_does_not_return_is_an_error_that_lists_the_applied_migrations(
    durable, dsn, monkeypatch
) -> None:
    monkeypatch.setattr(reconnect, "PATIENCE_S", 0.3)
    accident = Accident(durable.stop, after=2)

    with pytest.raises(ConnectionLost, match="the server did not come back") as error:
        migrate(dsn, line(), observer=accident)

    assert error.value.exit_status == 4
    assert (
        "Committed before that: 0001, 0002. If the server crashed, the most recent commits may be lost."
        in error.value.detail
    )
    assert "No such file or directory" in error.value.detail
    assert error.value.hint.startswith("Run the command again once the server is available")
    durable.start()
    assert applied(dsn) == steps(dsn) == [1, 2]


def test_a_run_that_waits_for_the_server_can_be_stopped(durable, dsn) -> None:
    def stop(waiting: Waiting) -> None:
        if waiting.reason == "server" and waiting.waited_s > 0:
            os.kill(os.getpid(), signal.SIGTERM)

    accident = Accident(durable.stop, after=2)
    accident.meanwhile = stop

    with pytest.raises(Interrupted, match="Stopped by SIGTERM while waiting for the server") as error:
        migrate(dsn, line(), observer=accident)

    assert error.value.exit_status == 130


@pytest.mark.parametrize(("part", "which"), [(1, "holds the runner lock"), (2, "executes the migrations")])
def test_a_session_terminated_by_a_person_is_not_reopened(dsn, part, which: str) -> None:
    def end() -> None:
        with closing(psycopg.connect(dsn, autocommit=True)) as connection:
            for holder in locks.holders(connection, part):
                connection.execute("select pg_terminate_backend(%s, 5000)", [holder.pid])

    accident = Accident(end, after=2)

    with pytest.raises(
        ConnectionLost, match=f"The session that {which} has ended; no further migration was started"
    ):
        migrate(dsn, line(), observer=accident)

    assert applied(dsn) == steps(dsn) == [1, 2]
    assert accident.waits == []


def test_a_run_waits_for_a_server_that_is_starting_up(dsn, monkeypatch) -> None:
    tries: list[object] = []
    real = session_settings.connect

    def connecting(*given, **named):
        tries.append(given)
        if len(tries) < 3:
            raise CannotConnect("No.", detail="FATAL:  the database system is starting up")
        return real(*given, **named)

    monkeypatch.setattr(reconnect, "connect", connecting)
    monkeypatch.setattr(reconnect, "PAUSE_S", 0.01)
    accident = Accident(lambda: None)

    migrate(dsn, line(), observer=accident)

    assert (len(tries), accident.reasons) == (3, {"server"})

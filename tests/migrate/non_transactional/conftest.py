"""Sessions that block, observe and end non-transactional statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers.binaries import available
from aigym_db.database.servers.databases import temporary_database
from aigym_db.database.servers.server import Throwaway
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Notice, Observer, Progress, Waiting
from aigym_db.model.migration import Direction, Migration

OLDER = "system:15" if "system:15" in available() else "embedded:16"
RUNNERS = "from pg_stat_activity where application_name = 'aigym-db' and state = 'active'"


class WaitActions(Observer):
    """Run one action each time a statement waits for a blocking session, in order."""

    def __init__(self, *actions: Callable[[], object]) -> None:
        self.actions = list(actions)
        self.before_retry: Callable[[], object] = lambda: None
        """Called before each retry of a statement."""
        self.waits: list[Waiting] = []
        self.progress_reports: list[Progress] = []
        self.notices: list[str] = []

    def waiting(self, waiting: Waiting) -> None:
        self.waits.append(waiting)
        if waiting.reason == "lock" and self.actions:
            self.actions.pop(0)()
        if waiting.reason == "retry":
            self.before_retry()

    def progress(self, migration: Migration, progress: Progress) -> None:
        self.progress_reports.append(progress)
        assert len(self.progress_reports) < 200, "A wait without a reported blocking session."

    def notice(self, migration: Migration, notice: Notice) -> None:
        self.notices.append(notice.message)


@pytest.fixture
def during_wait() -> type[WaitActions]:
    """Create an observer that acts while a statement waits: `during_wait(terminate)`."""
    return WaitActions


@pytest.fixture(scope="session", params=["embedded", OLDER])
def any_server(request: pytest.FixtureRequest) -> Iterator[Throwaway]:
    """A server of the newest, then of the oldest available version."""
    with throwaway(request.param) as running:
        yield running


@pytest.fixture
def anywhere(any_server: Throwaway) -> Iterator[str]:
    """An empty database on `any_server`."""
    with temporary_database(any_server) as created:
        yield created.dsn


@pytest.fixture
def monitor(anywhere: str) -> Iterator[psycopg.Connection]:
    """A session in autocommit mode that inspects the database."""
    with psycopg.connect(anywhere, autocommit=True) as connection:
        yield connection


@pytest.fixture
def holder(anywhere: str) -> Iterator[psycopg.Connection]:
    """A session whose open transaction blocks the migration."""
    with psycopg.connect(anywhere, application_name="holder") as connection:
        yield connection


@pytest.fixture
def terminate(monitor: psycopg.Connection) -> Callable[[], object]:
    """Terminate the session of the runner."""
    return lambda: monitor.execute(f"select pg_terminate_backend(pid, 5000) {RUNNERS}")


@pytest.fixture
def cancel(monitor: psycopg.Connection) -> Callable[[], object]:
    """Cancel the statement of the runner."""
    return lambda: monitor.execute(f"select pg_cancel_backend(pid) {RUNNERS}")


@pytest.fixture(params=["terminate", "cancel"])
def interrupt(request: pytest.FixtureRequest) -> tuple[Callable[[], object], str]:
    """Terminate the session or cancel its statement, with the expected error message."""
    messages = {"terminate": "connection to the server was lost", "cancel": "canceling"}
    return request.getfixturevalue(request.param), messages[request.param]


@pytest.fixture
def indexes(monitor: psycopg.Connection) -> Callable[[], dict[str, bool]]:
    """Every index of the tables in `public`, and whether it is valid, ready and live."""
    query = (
        "select indexrelid::regclass::text, indisvalid and indisready and indislive from pg_index "
        "where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)"
    )
    return lambda: dict(monitor.execute(query).fetchall())


RecordIntent = Callable[..., None]


@pytest.fixture
def record_intent(other: psycopg.Connection) -> RecordIntent:
    """Record the intent event of a runner killed in the first statement."""

    def intent(
        migration: Migration, sql: str, detail: dict[str, object], direction: Direction = "up"
    ) -> None:
        identity = (migration.version, migration.name, ledger.checksum(migration))
        ledger.record(other, ledger.Event("intent", *identity, direction, 1, sql, detail))

    return intent


@pytest.fixture
def tables(write: Callable[..., Migration], database: str) -> Migration:
    """An applied migration: a schema with tables to build indexes on."""
    migration = write(
        1,
        "create schema shop;"
        "create table shop.a (x int, y text, z text, at timestamptz);"
        "create table shop.b (x int);"
        "create function shop.low(text) returns text language sql immutable return lower($1);",
    )
    migrate(database, (migration,))
    return migration


@pytest.fixture
def shop_indexes(other: psycopg.Connection) -> Callable[[], list[tuple[str, bool]]]:
    """Every index of the schema `shop`, and whether it is valid."""
    query = (
        "select pg_get_indexdef(indexrelid), indisvalid from pg_index "
        "join pg_class on pg_class.oid = indexrelid where relnamespace = 'shop'::regnamespace order by 1"
    )
    return lambda: other.execute(query).fetchall()


@pytest.fixture
def leave_invalid(other: psycopg.Connection) -> Callable[[str], None]:
    """Create an INVALID index by a failed unique build."""

    def fail_build(statement: str) -> None:
        other.execute("insert into shop.a values (1, 'a', 'a'), (1, 'a', 'a'), (1, 'b', 'b')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            other.execute(statement)
        other.execute("delete from shop.a")

    return fail_build

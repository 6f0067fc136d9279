"""Sessions that block, observe and end non-transactional statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers import Throwaway, available, temporary_database, throwaway
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Notice, Observer, Progress, Waiting
from aigym_db.model.migration import Direction, Migration

OLDER = "system:15" if "system:15" in available() else "embedded:16"
RUNNERS = "from pg_stat_activity where application_name = 'aigym-db' and state = 'active'"


class Scene(Observer):
    """Run one action each time a statement waits for a blocking session, in order."""

    def __init__(self, *turns: Callable[[], object]) -> None:
        self.turns = list(turns)
        self.retrying: Callable[[], object] = lambda: None
        """Called before a statement is sent again."""
        self.waits: list[Waiting] = []
        self.made: list[Progress] = []
        self.notices: list[str] = []

    def waiting(self, waiting: Waiting) -> None:
        self.waits.append(waiting)
        if waiting.reason == "lock" and self.turns:
            self.turns.pop(0)()
        if waiting.reason == "retry":
            self.retrying()

    def progress(self, migration: Migration, progress: Progress) -> None:
        self.made.append(progress)
        assert len(self.made) < 200, "A wait without a reported blocking session."

    def notice(self, migration: Migration, notice: Notice) -> None:
        self.notices.append(notice.message)


@pytest.fixture
def scene() -> type[Scene]:
    """Create an observer that acts while a statement waits: `scene(terminate)`."""
    return Scene


@pytest.fixture(scope="session", params=["embedded", OLDER])
def any_server(request: pytest.FixtureRequest) -> Iterator[Throwaway]:
    """A server of the newest and of the oldest version at hand."""
    with throwaway(request.param) as running:
        yield running


@pytest.fixture
def anywhere(any_server: Throwaway) -> Iterator[str]:
    """A fresh database on it."""
    with temporary_database(any_server) as created:
        yield created.dsn


@pytest.fixture
def seen(anywhere: str) -> Iterator[psycopg.Connection]:
    """An observing session, in autocommit."""
    with psycopg.connect(anywhere, autocommit=True) as connection:
        yield connection


@pytest.fixture
def holder(anywhere: str) -> Iterator[psycopg.Connection]:
    """A session whose transaction blocks."""
    with psycopg.connect(anywhere, application_name="holder") as connection:
        yield connection


@pytest.fixture
def terminate(seen: psycopg.Connection) -> Callable[[], object]:
    """Terminate the session of the runner."""
    return lambda: seen.execute(f"select pg_terminate_backend(pid, 5000) {RUNNERS}")


@pytest.fixture
def cancel(seen: psycopg.Connection) -> Callable[[], object]:
    """Cancel the statement of the runner."""
    return lambda: seen.execute(f"select pg_cancel_backend(pid) {RUNNERS}")


@pytest.fixture(params=["terminate", "cancel"])
def end(request: pytest.FixtureRequest) -> tuple[Callable[[], object], str]:
    """Both in turn, with the expected error message."""
    messages = {"terminate": "connection to the server was lost", "cancel": "canceling"}
    return request.getfixturevalue(request.param), messages[request.param]


@pytest.fixture
def indexes(seen: psycopg.Connection) -> Callable[[], dict[str, bool]]:
    """Every index of the tables in `public`, and whether it is valid, ready and live."""
    question = (
        "select indexrelid::regclass::text, indisvalid and indisready and indislive from pg_index "
        "where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)"
    )
    return lambda: dict(seen.execute(question).fetchall())


Begin = Callable[..., None]


@pytest.fixture
def begun(other: psycopg.Connection) -> Begin:
    """Record the intent event of a runner killed in the first statement."""

    def intent(migration: Migration, sql: str, detail: dict[str, object], way: Direction = "up") -> None:
        known = (migration.version, migration.name, ledger.checksum(migration))
        ledger.record(other, ledger.Event("intent", *known, way, 1, sql, detail))

    return intent


@pytest.fixture
def tables(write: Callable[..., Migration], database: str) -> Migration:
    """An applied migration: a schema with tables to build indexes on."""
    made = write(
        1,
        "create schema shop;"
        "create table shop.a (x int, y text, z text, at timestamptz);"
        "create table shop.b (x int);"
        "create function shop.low(text) returns text language sql immutable return lower($1);",
    )
    migrate(database, (made,))
    return made


@pytest.fixture
def built(other: psycopg.Connection) -> Callable[[], list[tuple[str, bool]]]:
    """Every index of the schema, and whether it is valid."""
    question = (
        "select pg_get_indexdef(indexrelid), indisvalid from pg_index "
        "join pg_class on pg_class.oid = indexrelid where relnamespace = 'shop'::regnamespace order by 1"
    )
    return lambda: other.execute(question).fetchall()


@pytest.fixture
def leave_invalid(other: psycopg.Connection) -> Callable[[str], None]:
    """Create an INVALID index by a failed unique build."""

    def failed(statement: str) -> None:
        other.execute("insert into shop.a values (1, 'a', 'a'), (1, 'a', 'a'), (1, 'b', 'b')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            other.execute(statement)
        other.execute("delete from shop.a")

    return failed

"""A migration is rolled back if its ledger row cannot be written."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options

WHOLE = Options(transaction="run")
NON_TRANSACTIONAL = " transaction:false"
SWALLOW = """
create function swallow() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger swallow before insert on aigym_db.event for each row {when} execute function swallow();
"""
DATA = "create table d (x int);\ncopy d from stdin;\n1\n\\.\n"


@pytest.fixture
def swallowing(database, other):
    """Create a ledger whose trigger discards events of one kind: `swallowing("done")`."""

    def made(kind: str) -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            ledger.create(connection)
        other.execute(SWALLOW.format(when=f"when (new.kind = '{kind}')"))

    return made


@pytest.mark.parametrize("options", [Options(), WHOLE], ids=["migration", "run"])
@pytest.mark.parametrize("last", ["create table c ();", "select 1;"])
def test_a_file_is_rolled_back_if_a_trigger_discards_its_row(
    database, other, write, swallowing, options: Options, last: str
) -> None:
    swallowing("apply")

    with pytest.raises(StatementFailed) as error:
        migrate(database, (write(1, "create table a ();"), write(2, last)), options=options)

    assert "0001 step_1: a trigger suppresses rows of aigym_db.event, the ledger" in error.value.message
    assert "Remove the trigger" in error.value.hint
    assert other.execute("select to_regclass('a')").fetchone() == (None,)


def test_a_run_stops_if_a_trigger_discards_its_start_row(database, other, write, swallowing) -> None:
    swallowing("start")

    with pytest.raises(StatementFailed, match="The start of the run: a trigger suppresses rows"):
        migrate(database, (write(1, "create table a ();"),))

    assert other.execute("select to_regclass('a')").fetchone() == (None,)


def test_the_file_that_creates_such_a_trigger_is_rolled_back(database, other, write) -> None:
    line = (write(1, "create table a ();"), write(2, SWALLOW.format(when="")), write(3, "create table b ();"))

    with pytest.raises(StatementFailed) as error:
        migrate(database, line)

    assert error.value.message.startswith("0002 step_2: a trigger suppresses rows")
    assert error.value.place.line == 5
    assert [row.version for row in ledger.applied(other)] == [1]


def test_a_file_with_data_is_rolled_back_if_a_trigger_discards_its_row(
    database, other, write, swallowing
) -> None:
    swallowing("apply")

    with pytest.raises(StatementFailed, match="0001 step_1: a trigger suppresses rows"):
        migrate(database, (write(1, DATA),))

    assert other.execute("select to_regclass('d')").fetchone() == (None,)
    assert other.execute("select kind, version from aigym_db.event where version = 1").fetchall() == [
        ("fail", 1)
    ]


def test_a_non_transactional_statement_is_rolled_back_if_a_trigger_discards_its_row(
    database, other, write, swallowing
) -> None:
    swallowing("done")

    with pytest.raises(StatementFailed) as error:
        migrate(database, (write(1, "create table a ();", options=NON_TRANSACTIONAL),))

    assert "a trigger suppresses rows" in error.value.message
    assert other.execute("select to_regclass('a')").fetchone() == (None,)


def test_a_batch_is_rolled_back_if_a_trigger_discards_its_row(database, other, write, swallowing) -> None:
    other.execute("create table a (x int); insert into a values (null)")
    swallowing("done")

    with pytest.raises(StatementFailed) as error:
        migrate(database, (write(1, "update a set x = 1 where x is null;", options=" batch:10"),))

    assert "a trigger suppresses rows" in error.value.message
    assert other.execute("select x from a").fetchall() == [(None,)]


def test_a_run_stops_if_its_start_cannot_be_recorded(database, other, write, swallowing) -> None:
    swallowing("start")

    with pytest.raises(StatementFailed, match=r"a trigger suppresses rows of aigym_db\.event"):
        migrate(database, (write(1, "create table a ();"),))

    assert other.execute("select to_regclass('a')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("select 1;\ndrop schema aigym_db cascade;", ""),
        ("select 1;\nalter schema aigym_db rename to gone;", ""),
        ("select 1;\nalter table aigym_db.event rename to gone;", ""),
        ("select 1;\nalter table aigym_db.event drop column host;", ""),
        ("select 1;\nalter schema aigym_db rename to gone;", NON_TRANSACTIONAL),
    ],
)
def test_a_file_that_drops_or_changes_the_ledger_is_an_error(database, other, write, text, options) -> None:
    line = (write(1, "create table a ();"), write(2, text, options=options))

    with pytest.raises((StatementFailed, PartiallyApplied)) as error:
        migrate(database, line)

    assert "0002 step_2: the ledger was dropped or changed" in error.value.message
    assert "schema aigym_db" in error.value.hint
    assert error.value.place.line == 4
    assert [row.version for row in ledger.applied(other)] == [1]

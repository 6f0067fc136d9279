"""Building an index whose name is taken: by the same index, an INVALID one, or another object."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import NameTaken, PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate
from tests.support.waiting import wait_for_row

OUTSIDE = " transaction:false"
NAMED = "create {} index concurrently if not exists a_idx on shop.a {};"
SAME = [
    ("create index a_idx on shop.a (x)", NAMED.format("", "(x)")),
    ("create index a_idx on shop.a using btree (x asc nulls last)", NAMED.format("", "(x)")),
    (
        "create unique index a_idx on shop.a (y text_ops) where x > 1",
        NAMED.format("unique", "(y) where ((a.x > 1))"),
    ),
    ("create index a_idx on shop.a (shop.low(y), (x + 1))", NAMED.format("", "(shop . low(y), (a.x+1))")),
    (
        "create index a_idx on shop.a (y) include (z) with (fillfactor = 70)",
        NAMED.format("", "(y) /* on */ include (z) with (fillfactor=70)"),
    ),
    (
        "create unique index a_idx on shop.a (y) nulls not distinct",
        NAMED.format("unique", "(y) nulls not distinct"),
    ),
    (
        'create index a_idx on shop.a (y collate "C" desc)',
        NAMED.format("", '(y collate pg_catalog."C" desc)'),
    ),
    ("create index a_idx on shop.a using hash (y)", NAMED.format("", "using hash (y)")),
]
DIFFERENT = {
    "columns": ("(x)", "(x, at)"),
    "order": ("(x)", "(x desc)"),
    "uniqueness": ("(x)", None),
    "predicate": ("(x)", "(x) where x > 1"),
    "method": ("(x)", "using hash (x)"),
    "operator classes": ("(y)", "(y text_pattern_ops)"),
    "collations": ("(y)", '(y collate "C")'),
    "included columns": ("(y)", "(y) include (z)"),
    "storage parameters": ("(y)", "(y) with (fillfactor = 70)"),
}
PARTITIONED = (
    "create table p (x int) partition by list (x); create table p1 partition of p for values in (1);"
)


@pytest.mark.parametrize(("there", "wanted"), SAME, ids=[wanted for _, wanted in SAME])
def test_an_index_that_is_there_as_it_is_to_be_is_taken_for_done(
    database, other, tables, write, built, there: str, wanted: str
) -> None:
    other.execute(there)
    before = built()

    migrate(database, (tables, write(2, wanted, options=OUTSIDE)))

    assert built() == before
    done = other.execute("select detail ->> 'settled' from aigym_db.event where kind = 'done'").fetchone()
    assert done == ("shop.a_idx already existed with the same definition, valid",)


@pytest.mark.parametrize("what", DIFFERENT)
def test_an_index_of_the_name_that_is_another_one_is_never_taken_for_it(
    database, other, tables, write, what: str
) -> None:
    there, wanted = DIFFERENT[what]
    other.execute(f"create index a_idx on shop.a {there}")
    statement = NAMED.format("", wanted) if wanted else NAMED.format("unique", there)

    with pytest.raises(
        NameTaken, match=r"the index shop.a_idx already exists with another definition"
    ) as error:
        migrate(database, (tables, write(2, statement, options=OUTSIDE)))

    assert f"They differ in {what}" in error.value.hint
    assert "CREATE INDEX a_idx ON shop.a" in error.value.hint
    assert [row.version for row in ledger.applied(other)] == [1]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        ("create index a_idx on shop.b (x)", "an index of shop.b"),
        ("create table shop.a_idx ()", "a table"),
        ("create view shop.a_idx as select 1", "a view"),
        ("create sequence shop.a_idx", "a sequence"),
    ],
)
def test_a_name_that_something_else_has_is_refused_and_not_skipped(
    database, other, tables, write, made: str, kind: str
) -> None:
    other.execute(made)

    with pytest.raises(NameTaken, match=f"shop.a_idx already exists and is {kind}"):
        migrate(database, (tables, write(2, NAMED.format("", "(x)"), options=OUTSIDE)))


def test_an_index_of_the_name_in_another_schema_is_not_in_the_way(
    database, other, tables, write, built
) -> None:
    other.execute("create table public.a (x int); create index a_idx on public.a (x)")

    migrate(database, (tables, write(2, NAMED.format("", "(x)"), options=OUTSIDE)))

    assert built() == [("CREATE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_an_index_that_is_to_be_new_and_is_there_already_is_refused(database, other, tables, write) -> None:
    other.execute("create index a_idx on shop.a (x)")

    with pytest.raises(NameTaken, match="already exists, with the same definition"):
        migrate(
            database, (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=OUTSIDE))
        )


def test_an_invalid_index_of_somebody_else_with_other_columns_is_not_dropped(
    database, tables, write, built, leave_invalid
) -> None:
    leave_invalid("create unique index concurrently a_idx on shop.a (y)")

    with pytest.raises(NameTaken, match="INVALID, with another definition") as error:
        migrate(database, (tables, write(2, NAMED.format("unique", "(x)"), options=OUTSIDE)))

    assert "`drop index concurrently shop.a_idx`" in error.value.hint
    assert built() == [("CREATE UNIQUE INDEX a_idx ON shop.a USING btree (y)", False)]


def test_an_ordinary_build_does_not_skip_an_invalid_index_either(
    database, tables, write, built, leave_invalid
) -> None:
    leave_invalid("create unique index concurrently a_idx on shop.a (x)")
    statement = "create unique index if not exists a_idx on shop.a (x);"

    migrate(database, (tables, write(2, statement, options=OUTSIDE)))

    assert built() == [("CREATE UNIQUE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_our_own_invalid_index_is_dropped_when_the_statement_was_corrected(
    database, other, tables, write, built
) -> None:
    other.execute("insert into shop.a values (1, 'a'), (1, 'b')")
    wrong = write(2, "create unique index concurrently a_idx on shop.a (x);", options=OUTSIDE)
    with pytest.raises(PartiallyApplied, match="could not create unique index") as error:
        migrate(database, (tables, wrong))
    assert "the index shop.a_idx is INVALID; the next run repairs this" in error.value.detail

    right = write(2, "create unique index concurrently a_x_y_idx on shop.a (x, y);", options=OUTSIDE)
    migrate(database, (tables, right))

    assert built() == [("CREATE UNIQUE INDEX a_x_y_idx ON shop.a USING btree (x, y)", True)]


@pytest.fixture
def plain(other) -> Iterator[str]:
    """A role that owns the table, may migrate and sees nothing of what other roles do."""
    other.execute(
        f"""
        create role name_taken_plain login;
        grant create on database "{other.info.dbname}" to name_taken_plain;
        grant usage, create on schema shop, public to name_taken_plain;
        grant usage on schema aigym_db to name_taken_plain;
        grant all on all tables in schema aigym_db to name_taken_plain;
        alter table shop.a owner to name_taken_plain;
        """
    )
    yield "name_taken_plain"
    other.execute("reassign owned by name_taken_plain to postgres; drop owned by name_taken_plain")
    other.execute("drop role name_taken_plain")


@pytest.mark.parametrize("privileged", [True, False])
def test_an_index_that_somebody_is_building_now_is_left_to_them(
    database, other, tables, write, listener, built, plain, privileged: bool
) -> None:
    line = (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=OUTSIDE))
    dsn = database if privileged else psycopg.conninfo.make_conninfo(database, user=plain)
    with psycopg.connect(database) as writer, psycopg.connect(database, autocommit=True) as builder:
        writer.execute("insert into shop.a values (2)")
        builder.pgconn.send_query(b"create index concurrently a_idx on shop.a (x)")
        building = "select from pg_stat_progress_create_index where phase like 'waiting for writers%'"
        wait_for_row(other, building)
        # A runner that does not see it would drop the index, and wait for it to be built.
        listener.on_wait = lambda waiting: writer.rollback()

        with pytest.raises(
            PartiallyApplied, match=f"pid {builder.info.backend_pid} is building the index shop.a_idx"
        ):
            migrate(dsn, line, observer=listener)

        writer.rollback()
        while builder.pgconn.get_result() is not None:
            pass
    assert built() == [("CREATE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_an_index_on_the_partitioned_table_alone_is_invalid_by_design(database, other, write) -> None:
    line = (write(1, PARTITIONED), write(2, "create index if not exists p_x on only p (x);", options=OUTSIDE))
    migrate(database, line, to=1)
    other.execute("create index p_x on only p (x)")

    migrate(database, line)

    assert [row.version for row in ledger.applied(other)] == [1, 2]


@pytest.mark.parametrize(
    "statement",
    [
        "create unique index if not exists a_idx on shop.a (x);",
        'CREATE /* a */ UNIQUE\nINDEX IF NOT EXISTS "a_idx" ON ONLY shop.a (x);',
    ],
)
def test_an_invalid_index_is_not_skipped_inside_a_transaction_either(
    database, other, tables, write, leave_invalid, statement: str
) -> None:
    leave_invalid("create unique index concurrently a_idx on shop.a (x)")

    with pytest.raises(
        StatementFailed, match=r"the index shop\.a_idx is INVALID, and IF NOT EXISTS"
    ) as error:
        migrate(database, (tables, write(2, f"create table shop.c ();\n{statement}")))

    assert "drop index concurrently shop.a_idx" in error.value.detail
    assert other.execute("select to_regclass('shop.c')").fetchone() == (None,)


def test_an_index_of_another_table_is_not_skipped_inside_a_transaction_either(
    database, other, tables, write
) -> None:
    other.execute("create index a_idx on shop.b (x)")

    with pytest.raises(StatementFailed, match=r"shop\.a_idx exists and is no index of"):
        migrate(database, (tables, write(2, "create index if not exists a_idx on shop.a (x);")))


def test_an_index_that_is_there_and_usable_may_be_skipped_inside_a_transaction(
    database, other, tables, write
) -> None:
    other.execute("create index a_idx on shop.a (x)")
    text = """
        create index if not exists a_idx on shop.a (x);
        create index if not exists "odd '$$' name" on shop.a (y);
        create function shop.index_if_not_exists() returns int language sql as 'select 1';
    """

    migrate(database, (tables, write(2, text)))

    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_valid_index_that_somebody_else_made_after_the_runner_died_is_looked_at_too(
    database, other, tables, write, begun
) -> None:
    line = (tables, write(2, NAMED.format("", "(x)"), options=OUTSIDE))
    begun(line[1], line[1].up.text.strip().rstrip(";"), {"index": None})
    other.execute("create index a_idx on shop.a (at)")

    with pytest.raises(NameTaken, match="exists with another definition"):
        migrate(database, line)

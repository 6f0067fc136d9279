"""Building an index whose name is taken: by the same index, an INVALID one, or another object."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import NameTaken, PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate
from tests.support.waiting import wait_for_row

NON_TRANSACTIONAL = " transaction:false"
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


@pytest.mark.parametrize(("existing", "statement"), SAME, ids=[statement for _, statement in SAME])
def test_an_existing_index_with_the_same_definition_counts_as_built(
    database, other, tables, write, shop_indexes, existing: str, statement: str
) -> None:
    other.execute(existing)
    before = shop_indexes()

    migrate(database, (tables, write(2, statement, options=NON_TRANSACTIONAL)))

    assert shop_indexes() == before
    done = other.execute("select detail ->> 'verdict' from aigym_db.event where kind = 'done'").fetchone()
    assert done == ("shop.a_idx already existed with the same definition, valid",)


@pytest.mark.parametrize("property_name", DIFFERENT)
def test_an_existing_index_with_another_definition_is_rejected(
    database, other, tables, write, property_name: str
) -> None:
    existing, requested = DIFFERENT[property_name]
    other.execute(f"create index a_idx on shop.a {existing}")
    statement = NAMED.format("", requested) if requested else NAMED.format("unique", existing)

    with pytest.raises(
        NameTaken, match=r"the index shop.a_idx already exists with another definition"
    ) as error:
        migrate(database, (tables, write(2, statement, options=NON_TRANSACTIONAL)))

    assert f"They differ in {property_name}" in error.value.hint
    assert "CREATE INDEX a_idx ON shop.a" in error.value.hint
    assert [row.version for row in ledger.applied(other)] == [1]


@pytest.mark.parametrize(
    ("create", "kind"),
    [
        ("create index a_idx on shop.b (x)", "an index of shop.b"),
        ("create table shop.a_idx ()", "a table"),
        ("create view shop.a_idx as select 1", "a view"),
        ("create sequence shop.a_idx", "a sequence"),
    ],
)
def test_a_name_taken_by_another_object_is_rejected(
    database, other, tables, write, create: str, kind: str
) -> None:
    other.execute(create)

    with pytest.raises(NameTaken, match=f"shop.a_idx already exists and is {kind}"):
        migrate(database, (tables, write(2, NAMED.format("", "(x)"), options=NON_TRANSACTIONAL)))


def test_an_index_of_that_name_in_another_schema_is_ignored(
    database, other, tables, write, shop_indexes
) -> None:
    other.execute("create table public.a (x int); create index a_idx on public.a (x)")

    migrate(database, (tables, write(2, NAMED.format("", "(x)"), options=NON_TRANSACTIONAL)))

    assert shop_indexes() == [("CREATE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_create_index_without_if_not_exists_is_rejected_if_the_index_exists(
    database, other, tables, write
) -> None:
    other.execute("create index a_idx on shop.a (x)")

    with pytest.raises(NameTaken, match="already exists, with the same definition"):
        migrate(
            database,
            (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=NON_TRANSACTIONAL)),
        )


def test_an_invalid_index_with_another_definition_is_not_dropped(
    database, tables, write, shop_indexes, leave_invalid
) -> None:
    leave_invalid("create unique index concurrently a_idx on shop.a (y)")

    with pytest.raises(NameTaken, match="INVALID, with another definition") as error:
        migrate(database, (tables, write(2, NAMED.format("unique", "(x)"), options=NON_TRANSACTIONAL)))

    assert "`drop index concurrently shop.a_idx`" in error.value.hint
    assert shop_indexes() == [("CREATE UNIQUE INDEX a_idx ON shop.a USING btree (y)", False)]


def test_a_build_without_concurrently_replaces_an_invalid_index(
    database, tables, write, shop_indexes, leave_invalid
) -> None:
    leave_invalid("create unique index concurrently a_idx on shop.a (x)")
    statement = "create unique index if not exists a_idx on shop.a (x);"

    migrate(database, (tables, write(2, statement, options=NON_TRANSACTIONAL)))

    assert shop_indexes() == [("CREATE UNIQUE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_the_invalid_index_of_a_corrected_statement_is_dropped(
    database, other, tables, write, shop_indexes
) -> None:
    other.execute("insert into shop.a values (1, 'a'), (1, 'b')")
    wrong = write(2, "create unique index concurrently a_idx on shop.a (x);", options=NON_TRANSACTIONAL)
    with pytest.raises(PartiallyApplied, match="could not create unique index") as error:
        migrate(database, (tables, wrong))
    assert "the index shop.a_idx is INVALID; the next run repairs this" in error.value.detail

    right = write(
        2, "create unique index concurrently a_x_y_idx on shop.a (x, y);", options=NON_TRANSACTIONAL
    )
    migrate(database, (tables, right))

    assert shop_indexes() == [("CREATE UNIQUE INDEX a_x_y_idx ON shop.a USING btree (x, y)", True)]


@pytest.fixture
def non_superuser(other) -> Iterator[str]:
    """A role that owns the table and may migrate, but cannot see what sessions of other roles execute."""
    other.execute(
        f"""
        create role name_taken_owner login;
        grant create on database "{other.info.dbname}" to name_taken_owner;
        grant usage, create on schema shop, public to name_taken_owner;
        grant usage on schema aigym_db to name_taken_owner;
        grant all on all tables in schema aigym_db to name_taken_owner;
        alter table shop.a owner to name_taken_owner;
        """
    )
    yield "name_taken_owner"
    other.execute("reassign owned by name_taken_owner to postgres; drop owned by name_taken_owner")
    other.execute("drop role name_taken_owner")


@pytest.mark.parametrize("privileged", [True, False])
def test_an_index_that_another_session_is_building_is_kept(
    database, other, tables, write, listener, shop_indexes, non_superuser, privileged: bool
) -> None:
    line = (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=NON_TRANSACTIONAL))
    dsn = database if privileged else psycopg.conninfo.make_conninfo(database, user=non_superuser)
    with psycopg.connect(database) as writer, psycopg.connect(database, autocommit=True) as builder:
        writer.execute("insert into shop.a values (2)")
        builder.pgconn.send_query(b"create index concurrently a_idx on shop.a (x)")
        building = "select from pg_stat_progress_create_index where phase like 'waiting for writers%'"
        wait_for_row(other, building)
        # If the build were not detected, the run would drop the index and wait for the builder's lock.
        listener.on_wait = lambda waiting: writer.rollback()

        with pytest.raises(
            PartiallyApplied, match=f"pid {builder.info.backend_pid} is building the index shop.a_idx"
        ):
            migrate(dsn, line, observer=listener)

        writer.rollback()
        while builder.pgconn.get_result() is not None:
            pass
    assert shop_indexes() == [("CREATE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_an_index_on_only_the_partitioned_table_may_be_invalid(database, other, write) -> None:
    line = (
        write(1, PARTITIONED),
        write(2, "create index if not exists p_x on only p (x);", options=NON_TRANSACTIONAL),
    )
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
def test_an_invalid_index_is_rejected_in_a_transactional_file(
    database, other, tables, write, leave_invalid, statement: str
) -> None:
    leave_invalid("create unique index concurrently a_idx on shop.a (x)")

    with pytest.raises(StatementFailed, match=r"the index shop\.a_idx is INVALID; IF NOT EXISTS") as error:
        migrate(database, (tables, write(2, f"create table shop.c ();\n{statement}")))

    assert "drop index concurrently shop.a_idx" in error.value.detail
    assert other.execute("select to_regclass('shop.c')").fetchone() == (None,)


def test_an_index_of_another_table_is_rejected_in_a_transactional_file(
    database, other, tables, write
) -> None:
    other.execute("create index a_idx on shop.b (x)")

    with pytest.raises(StatementFailed, match=r"shop\.a_idx exists and is not an index of"):
        migrate(database, (tables, write(2, "create index if not exists a_idx on shop.a (x);")))


def test_an_existing_usable_index_is_skipped_in_a_transactional_file(database, other, tables, write) -> None:
    other.execute("create index a_idx on shop.a (x)")
    text = """
        create index if not exists a_idx on shop.a (x);
        create index if not exists "odd '$$' name" on shop.a (y);
        create function shop.index_if_not_exists() returns int language sql as 'select 1';
    """

    migrate(database, (tables, write(2, text)))

    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_an_index_created_by_another_session_after_an_interruption_is_compared(
    database, other, tables, write, record_intent
) -> None:
    line = (tables, write(2, NAMED.format("", "(x)"), options=NON_TRANSACTIONAL))
    record_intent(line[1], line[1].up.text.strip().rstrip(";"), {"index": None})
    other.execute("create index a_idx on shop.a (at)")

    with pytest.raises(NameTaken, match="exists with another definition"):
        migrate(database, line)

"""Partially applied and partially rolled back migrations, and runs in the other direction."""

from __future__ import annotations

import pytest

from aigym_db.database import ledger
from aigym_db.database.partially_applied import unfinished
from aigym_db.errors import PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback

NON_TRANSACTIONAL = " transaction:false"


@pytest.fixture
def line(write):
    """Three migrations; the third fails in its second statement without a table `app.gate`."""
    return (
        write(1, "create schema app;", "drop schema app;"),
        write(2, "create table app.a (x int, y int);", "drop table app.a;"),
        write(
            3,
            "create index concurrently a_x on app.a (x);\ninsert into app.gate values (1);",
            "drop index concurrently app.a_x;\ndelete from app.gate;",
            options=NON_TRANSACTIONAL,
            down_options=NON_TRANSACTIONAL,
        ),
    )


def index(connection) -> bool:
    return connection.execute("select to_regclass('app.a_x') is not null").fetchone()[0]


@pytest.fixture
def partially_applied(database, line):
    with pytest.raises(PartiallyApplied, match="statement 2 of 2"):
        migrate(database, line)


@pytest.fixture
def partially_rolled_back(database, other, line):
    migrate(database, line, to=2)
    other.execute("create table app.gate (x int)")
    migrate(database, line)
    other.execute("drop table app.gate")
    with pytest.raises(PartiallyApplied, match="statement 2 of 2"):
        rollback(database, line)


def test_a_rollback_rejects_a_partially_applied_migration(database, other, line, partially_applied) -> None:
    with pytest.raises(PartiallyApplied, match="0003 step_3 is partially applied") as error:
        rollback(database, line)

    assert "statement 1: create index concurrently a_x on app.a (x)" in error.value.detail
    assert "`aigym-db migrate`" in error.value.hint
    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_partially_applied_migration_resolved_manually_starts_again(
    database, other, line, partially_applied
) -> None:
    other.execute("drop index app.a_x")
    rollback(database, line, steps=1, options=Options(resolve="done"), yes=True)
    assert [row.version for row in ledger.applied(other)] == [1]

    with pytest.raises(PartiallyApplied, match="statement 2 of 2"):
        migrate(database, line)

    assert index(other)


def test_a_rollback_to_a_partially_rolled_back_version_is_rejected(
    database, other, line, partially_rolled_back
) -> None:
    with pytest.raises(PartiallyApplied, match="0003 step_3 is partially rolled back") as error:
        rollback(database, line, to=3)

    assert "statement 1: drop index concurrently app.a_x" in error.value.detail
    assert "`aigym-db rollback --to 2`" in error.value.hint
    assert "`aigym-db migrate --resolve done`" in error.value.hint
    other.execute("create table app.gate (x int)")
    assert [done.migration.version for done in rollback(database, line, to=2, yes=True)] == [3]


def test_a_run_rejects_a_partially_rolled_back_migration(
    database, other, write, line, partially_rolled_back
) -> None:
    longer = (*line, write(4, "create table app.b ();"))

    with pytest.raises(PartiallyApplied, match="0003 step_3 is partially rolled back") as error:
        migrate(database, longer)

    assert "`aigym-db rollback`" in error.value.hint
    assert [row.version for row in ledger.applied(other)] == [1, 2, 3]


def test_a_run_without_pending_migrations_rejects_it(
    database, other, line, partially_rolled_back, listener
) -> None:
    with pytest.raises(PartiallyApplied, match="0003 step_3 is partially rolled back"):
        migrate(database, line, observer=listener)

    other.execute("create index a_x on app.a (x); create table app.gate (x int)")
    assert migrate(database, line, options=Options(resolve="done")) == ()
    assert migrate(database, line) == ()
    assert unfinished(other) == ()


def test_a_rollback_of_nothing_rejects_a_partially_applied_migration(database, other, write) -> None:
    line = (
        write(
            1,
            "create index concurrently a_x on public.a (x);\ninsert into gate values (1);",
            "drop index public.a_x;",
            options=NON_TRANSACTIONAL,
        ),
    )
    other.execute("create table public.a (x int)")
    with pytest.raises(PartiallyApplied, match="statement 2 of 2"):
        migrate(database, line)

    with pytest.raises(PartiallyApplied, match="0001 step_1 is partially applied"):
        rollback(database, line, to=0)


def test_a_partially_rolled_back_migration_resolved_manually_stays_applied(
    database, other, write, line, partially_rolled_back
) -> None:
    other.execute("create index a_x on app.a (x); create table app.gate (x int)")
    longer = (*line, write(4, "create table app.b ();", "drop table app.b;"))

    migrate(database, longer, options=Options(resolve="done"))

    assert [row.version for row in ledger.applied(other)] == [1, 2, 3, 4]
    rollback(database, longer, to=2)
    assert not index(other)


def test_the_remaining_effect_of_the_last_statement_is_reported(database, other, write) -> None:
    line = (
        write(1, "create table a (x int); insert into a values (1), (1);", "drop table a;"),
        write(2, "create unique index concurrently a_x on a (x);", options=NON_TRANSACTIONAL),
    )
    with pytest.raises(PartiallyApplied):
        migrate(database, line)

    with pytest.raises(PartiallyApplied, match="0002 step_2 is partially applied") as error:
        rollback(database, line, yes=True)

    assert "statement 1, possibly in part (the index public.a_x is INVALID)" in error.value.detail
    assert [str(step) for step in unfinished(other)] == ["interrupted in statement 1 (up)"]


def test_a_role_without_access_to_the_journal_sees_no_statements(database, other, partially_applied) -> None:
    assert [str(step) for step in unfinished(other)] == ["partially applied: resumes at statement 2"]

    other.execute("set role pg_monitor")

    assert unfinished(other) == ()


def test_a_partially_applied_migration_may_always_be_completed(
    database, other, line, partially_applied
) -> None:
    other.execute("create table app.gate (x int)")

    migrate(database, line)
    rollback(database, line, to=2, yes=True)

    assert not index(other)


def test_a_failed_migration_without_effects_blocks_no_run(database, other, write) -> None:
    line = (
        write(1, "create schema app;", "drop schema app;"),
        write(2, "create index concurrently a_x on app.nowhere (x);", options=NON_TRANSACTIONAL),
    )
    with pytest.raises(StatementFailed):
        migrate(database, line)

    rollback(database, line)

    assert ledger.applied(other) == ()


TWICE = "insert into acct values (100);\nalter table acct add y int, add y int;"


@pytest.fixture
def acct(database, other, write):
    """Two migrations; the second is partially applied: row inserted, column missing."""
    first = write(1, "create table acct (x int);", "drop table acct;")
    with pytest.raises(PartiallyApplied, match="statement 2 of 2"):
        migrate(database, (first, write(2, TWICE, "delete from acct;", options=NON_TRANSACTIONAL)))
    return first


def rows(connection) -> list[int]:
    return [row[0] for row in connection.execute("select x from acct").fetchall()]


def test_a_renumbered_partially_applied_file_does_not_run_again(database, other, write, acct) -> None:
    mended = TWICE.replace(", add y int", "")
    line = (
        acct,
        write(2, "create table another ();", name="another"),
        write(3, mended, options=NON_TRANSACTIONAL),
    )

    with pytest.raises(
        PartiallyApplied,
        match="0002 step_2 is partially applied, and its version now belongs to 0002 another",
    ) as error:
        migrate(database, line)

    assert "statement 1: insert into acct values (100)" in error.value.detail
    assert "Restore the file, its name and its options" in error.value.hint
    assert rows(other) == [100]


def test_a_deleted_partially_applied_file_is_reported(database, other, acct) -> None:
    with pytest.raises(PartiallyApplied, match="0002 step_2 is partially applied, and its file is missing"):
        migrate(database, (acct,))


def test_a_partially_applied_file_made_transactional_does_not_run_again(database, other, write, acct) -> None:
    with pytest.raises(PartiallyApplied, match="its file is no longer non-transactional"):
        migrate(database, (acct, write(2, TWICE.replace(", add y int", ""))))

    assert rows(other) == [100]


def test_the_hint_for_a_late_partially_applied_file_works(database, other, write) -> None:
    late = Options(out_of_order=frozenset([2]))
    first, third = write(1, "create table a (x int);"), write(3, "create table c ();")
    migrate(database, (first, third))
    text = "alter table a add y int;\ninsert into gate values (1);"
    line = (first, write(2, text, options=NON_TRANSACTIONAL), third)
    with pytest.raises(PartiallyApplied, match="statement 2 of 2"):
        migrate(database, line, options=late)

    with pytest.raises(PartiallyApplied, match="0002 step_2 is partially applied") as error:
        rollback(database, line, yes=True)

    assert "`aigym-db migrate --allow-out-of-order 2`" in error.value.hint
    other.execute("create table gate (x int)")
    migrate(database, line, options=late)
    assert [row.version for row in ledger.applied(other)] == [1, 2, 3]


def test_the_hint_for_a_frozen_file_names_the_way_to_edit_it(database, write) -> None:
    line = (write(1, "select 1;\nselect 1 / 0;", options=NON_TRANSACTIONAL),)

    with pytest.raises(PartiallyApplied) as frozen:
        migrate(database, line, options=Options(frozen=frozenset([1])))
    with pytest.raises(PartiallyApplied) as draft:
        migrate(database, line, options=Options(local=True))

    assert "aigym-db explain AIG-H001" in frozen.value.hint
    assert "AIG-H001" not in draft.value.hint


def test_resolving_a_partially_applied_file_rolls_back_nothing_else(database, other, acct, listener) -> None:
    other.execute("delete from acct")

    done = rollback(database, (acct,), options=Options(resolve="done"), observer=listener)

    assert (done, listener.resolutions) == ((), ["0002 step_2: up"])
    assert [row.version for row in ledger.applied(other)] == [1]
    assert (unfinished(other), migrate(database, (acct,))) == ((), ())


def test_resolving_manually_continues_with_the_requested_rollback(database, other, acct) -> None:
    other.execute("delete from acct")

    rollback(database, (acct,), to=0, yes=True, options=Options(resolve="done"))

    assert ledger.applied(other) == ()

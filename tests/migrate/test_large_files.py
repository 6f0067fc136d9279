"""Large files are sent in chunks, with the guarantees of small ones."""

from __future__ import annotations

import os
import signal

import pytest

from aigym_db.database import ledger
from aigym_db.errors import (
    AigymError,
    BadMigration,
    BadSql,
    EditedMigration,
    ForbiddenStatement,
    Interrupted,
    LockTimeout,
    ReadOnly,
    SessionStateChanged,
    StatementFailed,
)
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback
from aigym_db.migrate.transactional import chunks

TABLE = "create table t (a int, b text);\n"
COPY = "copy t (a, b) from stdin;\n{}\\.\n"
pytestmark = pytest.mark.usefixtures("in_small_pieces")


def rows(count: int) -> str:
    return "".join(f"insert into t values ({number}, 'é😀; it''s');\n" for number in range(1, count + 1))


def count(connection) -> int:
    return connection.execute("select count(*) from t").fetchone()[0]


def test_a_large_file_is_applied_and_its_text_stored_in_the_ledger(database, other, write, listener) -> None:
    migration = write(1, TABLE + rows(50) + COPY.format("51\té\\t\n52\t\\N\n") + rows(3))

    done = migrate(database, (migration,), observer=listener)

    event = other.execute(
        "select sql, checksum, duration_ms, lock_wait_ms from aigym_db.event where kind = 'apply'"
    )
    sql, checksum, duration_ms, lock_wait_ms = event.fetchone()
    assert (count(other), len(done), [step.migration.version for step in listener.done]) == (55, 1, [1])
    assert (sql, checksum) == (migration.up.source.text, ledger.checksum(migration))
    assert (duration_ms[-1] > 0, lock_wait_ms) == (True, 0)
    assert migrate(database, (migration,)) == ()


def test_a_text_with_copy_end_markers_is_stored_unchanged(database, other, write) -> None:
    text = TABLE + "select '\\', '\t', '\\N', '\\.', '\n\\.\n', E'\\\\';\n" + rows(10)

    migrate(database, (write(1, text),))

    assert text in ledger.stored_sql(other, 1)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("select 'é😀',\n  nope;", 2, 3),
        ("select 'é😀';\n  select 1 / 0;", 2, 3),
        ("select 1 / 0;", 1, 1),
        ("insert into t values (1);  insert into t values ('é', 2);", 1, 50),
        ("insert into t values (1) (2);", 1, 26),
        ("create tabel x ();", 1, 8),
    ],
)
@pytest.mark.parametrize("before", [1, 30])
@pytest.mark.parametrize("behind", [1, 30])
def test_an_error_anywhere_in_a_large_file_has_its_position(
    database, other, write, text: str, line: int, column: int, before: int, behind: int
) -> None:
    migration = write(1, TABLE + rows(before) + text + "\n" + rows(30 + behind))

    with pytest.raises(AigymError) as error:
        migrate(database, (migration,))

    place = error.value.place
    assert (place.line, place.column) == (3 + before + line, column)
    assert not ledger.exists(other) or ledger.applied(other) == ()
    assert other.execute("select to_regclass('t')").fetchone() == (None,)


@pytest.mark.parametrize(
    "bad",
    [
        "commit;",
        "set search_path = x;",
        "vacuum t;",
        "copy t to stdout;",
        "selec 1;",
        "\\connect other",
        "copy t from stdin;\n1\n",
    ],
)
def test_a_forbidden_statement_at_the_end_is_rejected_before_anything_is_sent(
    database, other, write, bad: str
) -> None:
    with pytest.raises((ForbiddenStatement, BadSql)) as error:
        migrate(database, (write(1, TABLE + rows(50) + bad),))

    assert error.value.place.line == 54
    assert not ledger.exists(other)


def test_a_notice_from_the_middle_of_a_file_is_reported(database, write, listener) -> None:
    migration = write(1, TABLE + rows(20) + "create table if not exists t ();\n" + rows(20))

    migrate(database, (migration,), observer=listener)

    assert [notice.message for notice in listener.notices] == ['relation "t" already exists, skipping']


def test_large_and_small_files_run_in_order(database, other, write, listener) -> None:
    line = (
        write(1, TABLE),
        write(2, rows(30)),
        write(3, "alter table t add c int;"),
        write(4, COPY.format("1\tx\n")),
        write(5, "alter table t add d int;"),
    )

    migrate(database, line, observer=listener)

    assert [step.migration.version for step in listener.done] == [1, 2, 3, 4, 5]
    assert [row.version for row in ledger.applied(other)] == [1, 2, 3, 4, 5]


def test_a_failed_large_file_keeps_earlier_migrations_and_can_be_run_again(database, other, write) -> None:
    first, last = write(1, TABLE), write(3, "alter table t add c int;")
    with pytest.raises(StatementFailed):
        migrate(database, (first, write(2, rows(30) + "select 1 / 0;"), last))
    left = (count(other), [row.version for row in ledger.applied(other)])

    migrate(database, (first, write(2, rows(30)), last))

    assert left == (0, [1])
    assert count(other) == 30


@pytest.mark.parametrize("owner", [None, "postgres"])
def test_a_constraint_violation_at_commit_rolls_back_a_large_file(
    database, other, write, owner: str | None
) -> None:
    text = "create table p (id int primary key); create table c (p int references p initially deferred);\n"

    with pytest.raises(StatementFailed, match="foreign key"):
        migrate(
            database,
            (write(1, text + TABLE + rows(30) + "insert into c values (1);"),),
            options=Options(owner=owner),
        )

    assert other.execute("select to_regclass('t')").fetchone() == (None,)


def test_a_lock_timeout_rolls_back_and_retries_a_large_file(database, other, write, listener) -> None:
    migrate(database, (write(1, TABLE + "create table busy ();"),))
    other.execute("begin; lock table busy")
    listener.on_wait = lambda waiting: waiting.reason == "retry" and other.execute("commit")
    line = (write(1, TABLE + "create table busy ();"), write(2, rows(30) + "alter table busy add x int;"))

    (done,) = migrate(database, line, options=Options(lock_timeout_ms=50), observer=listener)

    assert count(other) == 30
    assert done.lock_wait_ms > 0


def test_the_final_lock_timeout_names_the_statement(database, other, write) -> None:
    migrate(database, (write(1, TABLE + "create table busy ();"),))
    other.execute("begin; lock table busy")
    line = (write(1, TABLE + "create table busy ();"), write(2, rows(30) + "alter table busy add x int;"))

    with pytest.raises(LockTimeout) as error:
        migrate(database, line, options=Options(lock_timeout_ms=20, patience_ms=1))

    other.execute("rollback")
    assert error.value.place.line == 33
    assert count(other) == 0


@pytest.mark.parametrize(
    "text",
    [
        "do $$ begin raise warning 'now'; end $$;\n" + rows(30),
        "do $$ begin raise warning 'now'; perform pg_sleep(60); end $$;",
    ],
)
def test_a_signal_in_the_middle_rolls_back_a_large_file(database, other, write, listener, text: str) -> None:
    listener.notice = lambda migration, notice: os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        migrate(database, (write(1, TABLE + rows(30) + text),), observer=listener)

    assert other.execute("select to_regclass('t')").fetchone() == (None,)
    assert ledger.applied(other) == ()


def test_a_signal_in_the_middle_of_data_rolls_back_the_file(
    database, other, write, listener, monkeypatch
) -> None:
    pieces, sent = chunks.Chunk.data, []

    def data(self):
        for piece in pieces(self):
            sent.append(piece)
            if len(sent) == 5:
                os.kill(os.getpid(), signal.SIGTERM)
            yield piece

    monkeypatch.setattr(chunks.Chunk, "data", data)

    with pytest.raises(Interrupted, match="SIGTERM"):
        migrate(database, (write(1, TABLE + COPY.format("1\tx\n" * 1000)),), observer=listener)

    assert len(sent) == 5
    assert other.execute("select kind::text from aigym_db.event order by id").fetchall() == [
        ("start",),
        ("fail",),
    ]
    assert other.execute("select to_regclass('t')").fetchone() == (None,)


def test_the_session_state_of_a_large_file_is_reported(database, write) -> None:
    with pytest.raises(SessionStateChanged, match="an advisory lock"):
        migrate(database, (write(1, TABLE + rows(30) + "select pg_advisory_lock(5);"),))


def test_a_large_file_runs_as_the_owner_and_its_ledger_row_as_the_connected_role(
    server, database, other, write
) -> None:
    other.execute("drop role if exists long_file_owner; create role long_file_owner")
    other.execute("grant create on schema public to long_file_owner")

    migrate(database, (write(1, TABLE + rows(30), options=" role:long_file_owner"),))

    assert other.execute("select tableowner from pg_tables where tablename = 't'").fetchone() == (
        "long_file_owner",
    )
    other.execute("drop owned by long_file_owner; drop role long_file_owner")


def test_progress_of_data_is_reported_for_its_migration(database, write, listener) -> None:
    phases = []
    listener.progress = lambda migration, made: phases.append((migration.version, made.phase))
    wait = "create function wait() returns trigger language plpgsql as "
    wait += "$$ begin perform pg_sleep(0.4); return new; end $$;"
    trigger = "create trigger wait before insert on t for each row execute function wait();"
    line = (write(1, TABLE + wait + trigger), write(2, COPY.format("1\tx\n2\ty\n")))

    migrate(database, line, observer=listener)

    assert {version for version, _ in phases} == {2}


def test_a_large_file_may_deallocate_the_prepared_statements_of_the_runner(database, other, write) -> None:
    line = (
        write(1, TABLE),
        write(2, rows(30) + "do $$ begin execute 'deallocate all'; end $$;\n"),
        write(3, "create table u ();"),
        write(4, COPY.format("1\tx\n")),
        write(5, "create table v ();"),
    )

    migrate(database, line)

    assert [row.version for row in ledger.applied(other)] == [1, 2, 3, 4, 5]


def test_a_custom_setting_ends_with_a_large_file(database, other, write) -> None:
    keep = "do $$ begin perform set_config('my.own', 'x', false); end $$;\n"
    seen = "create table seen as select current_setting('my.own', true) as own;"

    migrate(database, (write(1, TABLE + rows(30) + keep), write(2, seen)))

    assert other.execute("select coalesce(own, '') from seen").fetchone() == ("",)


@pytest.mark.parametrize("text", ["set transaction read only;\n", "set local transaction_read_only = on;\n"])
@pytest.mark.parametrize("long", [1, 30])
def test_a_read_only_transaction_has_a_hint_to_remove_the_setting(database, write, text, long) -> None:
    with pytest.raises(ReadOnly) as error:
        migrate(database, (write(1, text + "select 1 as number;\n" * long),))

    assert "ledger" in error.value.hint
    assert "primary" not in error.value.hint


def test_a_large_file_is_rolled_back_and_its_edit_detected(database, other, write) -> None:
    line = (write(1, TABLE + rows(30), "drop table t;"),)
    migrate(database, line)

    with pytest.raises(EditedMigration) as error:
        migrate(database, (write(1, TABLE + rows(31), "drop table t;"),))
    rollback(database, line, yes=True)

    assert "+insert into t values (31" in error.value.detail
    assert other.execute("select to_regclass('t')").fetchone() == (None,)
    assert ledger.applied(other) == ()


def test_a_large_file_among_others_is_rejected_in_a_single_transaction_run(database, other, write) -> None:
    line = (write(1, TABLE), write(2, rows(30)))

    with pytest.raises(BadMigration, match="0002 step_2 is long"):
        migrate(database, line, options=Options(transaction="run"))

    assert not ledger.exists(other)

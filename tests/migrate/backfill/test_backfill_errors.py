"""Backfills that fail because of their statement, the data or locks."""

from __future__ import annotations

import pytest
from psycopg.conninfo import make_conninfo

from aigym_db.database import ledger
from aigym_db.database.partially_applied import unfinished
from aigym_db.errors import ForbiddenStatement, LockTimeout, PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback


@pytest.mark.parametrize(
    "condition", ["id > 0", "n < 2", "done is not null", "pad is not null and (id = 1 or id = id)"]
)
def test_a_condition_that_stays_true_is_rejected_and_rolled_back(
    database, other, table, backfill, once, counts, condition
) -> None:
    text = once.replace("not done", condition)

    with pytest.raises(ForbiddenStatement, match="still holds") as error:
        migrate(database, (table, backfill(2, text)))

    assert error.value.place.text[error.value.place.column - 1 :].startswith(condition[:4])
    assert counts(other) == [(0, 5000)]
    assert [row.version for row in ledger.applied(other)] == [1]


def test_a_condition_that_stays_true_for_a_later_row_keeps_the_previous_batches(
    database, other, table, backfill, counts
) -> None:
    text = "update o set n = n + 1, done = id < 3000 where not done;"

    with pytest.raises(PartiallyApplied, match=r"still holds for .* rows are changed and remain so") as error:
        migrate(database, (table, backfill(2, text)))

    assert "--resolve again" in error.value.hint
    assert other.execute("select n, count(*) from o where id >= 3000 group by n").fetchall() == [(0, 2001)]
    corrected = "update o set n = n + 1, done = true where not done;"
    with pytest.raises(PartiallyApplied, match="was edited after it was partially applied") as changed:
        migrate(database, (table, backfill(2, corrected)))
    assert "id < 3000" in changed.value.detail
    migrate(database, (table, backfill(2, corrected)), options=Options(resolve="again"))
    assert counts(other) == [(1, 5000)]


def test_an_error_in_a_later_batch_reports_the_progress_and_the_next_run_resumes(
    database, other, table, backfill, counts
) -> None:
    text = "update o set n = n + 1, done = 1000 / (id - 4000) is not null\nwhere not done;"
    line = (table, backfill(2, text))

    with pytest.raises(PartiallyApplied, match=r"division by zero.*% of the backfill") as error:
        migrate(database, line)

    assert error.value.exit_status == 7
    assert other.execute("select kind::text from aigym_db.event order by id desc limit 1").fetchone() == (
        "fail",
    )
    other.execute("delete from o where id = 4000")
    migrate(database, line)
    assert counts(other) == [(1, 4999)]


def test_a_lock_timeout_on_a_row_keeps_the_previous_batches_and_reports_the_blocking_session(
    database, other, table, backfill, counts
) -> None:
    line = (table, backfill())
    options = Options(lock_timeout_ms=100, patience_ms=150)

    with (
        other.transaction(),
        pytest.raises(PartiallyApplied, match=r"did not get its lock.*remain so") as error,
    ):
        migrate(database, (table,))
        other.execute("select from o where id = 3000 for update")
        migrate(database, line, options=options)

    assert f"pid {other.info.backend_pid}" in error.value.detail
    assert "nothing changed" not in str(error.value)
    migrate(database, line)
    assert counts(other) == [(1, 5000)]


def test_a_lock_timeout_on_the_first_batch_changes_nothing(database, other, table, backfill, counts) -> None:
    migrate(database, (table,))

    with other.transaction(), pytest.raises(LockTimeout, match="nothing changed"):
        other.execute("lock table o in share mode")
        options = Options(lock_timeout_ms=100, patience_ms=150)
        migrate(database, (table, backfill()), options=options)

    assert counts(other) == [(0, 5000)]


def test_an_owner_subject_to_row_security_is_rejected(
    database, other, table, write, backfill, counts
) -> None:
    name = other.info.dbname
    other.execute("create role hidden_owner login nosuperuser nobypassrls")
    other.execute(f"alter database {name} owner to hidden_owner; alter schema public owner to hidden_owner")
    owner_dsn = make_conninfo(database, user="hidden_owner")
    secured = write(
        2,
        "alter table o enable row level security; alter table o force row level security;"
        "create policy a_few on o using (id < 10);",
    )
    line = (table, secured, backfill(3))

    with pytest.raises(StatementFailed, match="row-level security") as error:
        migrate(owner_dsn, line)

    assert "BYPASSRLS" in error.value.hint
    assert counts(other) == [(0, 5000)]
    assert [row.version for row in ledger.applied(other)] == [1, 2]
    other.execute(f"alter database {name} owner to postgres")
    other.execute("drop owned by hidden_owner cascade; drop role hidden_owner")


def test_a_statement_that_cannot_run_in_batches_is_rejected_before_the_first_migration(
    database, other, table, backfill
) -> None:
    with pytest.raises(ForbiddenStatement, match="needs a WHERE"):
        migrate(database, (table, backfill(2, "update o set n = 1;")))

    assert ledger.applied(other) == ()


def test_a_statement_that_changed_no_rows_may_be_edited(
    database, other, table, backfill, once, counts
) -> None:
    with pytest.raises(StatementFailed, match="division by zero"):
        migrate(database, (table, backfill(2, once.replace("true", "1 / 0 = 1"))))

    migrate(database, (table, backfill()))

    assert counts(other) == [(1, 5000)]


def test_a_partially_applied_non_transactional_file_cannot_become_a_backfill(
    database, other, table, write, backfill, once
) -> None:
    with pytest.raises(PartiallyApplied):
        migrate(database, (table, write(2, f"{once}\nselect 1 / 0;", options=" transaction:false")))

    with pytest.raises(PartiallyApplied, match="it ran statement by statement"):
        migrate(database, (table, backfill()))


def test_a_failing_journal_entry_keeps_the_previous_batches(database, other, table, backfill, counts) -> None:
    line = (table, backfill())
    migrate(database, (table,))
    other.execute(
        """
        create function disk_full() returns trigger language plpgsql
        as $$ begin raise 'the ledger is full' using errcode = 'disk_full'; end $$;
        create trigger disk_full before insert on aigym_db.event for each row
        when (new.kind = 'done' and (new.detail ->> 'from')::int > 20) execute function disk_full();
        """
    )

    with pytest.raises(PartiallyApplied, match=r"ledger is full.*rows are changed and remain so"):
        migrate(database, line)

    other.execute("drop trigger disk_full on aigym_db.event")
    migrate(database, line)
    assert counts(other) == [(1, 5000)]


def test_a_pass_without_a_journal_entry_does_not_begin(database, other, table, backfill, counts) -> None:
    line = (table, backfill())
    migrate(database, (table,))
    # A matching row remains after the last batch of the pass.
    other.execute(
        """
        create function disturb() returns trigger language plpgsql
        as $$ begin
          if new.kind = 'done' then
            delete from public.o where id = 9999;
            insert into public.o (id) values (9999);
          elsif new.detail ->> 'pass' = '2' then
            raise 'no second pass';
          end if;
          return new;
        end $$;
        create trigger disturb before insert on aigym_db.event for each row execute function disturb();
        """
    )

    with pytest.raises(PartiallyApplied, match=r"no second pass.*rows are changed and remain so"):
        migrate(database, line)

    other.execute("drop trigger disturb on aigym_db.event")
    migrate(database, line)
    assert counts(other) == [(1, 5001)]


def test_a_partially_applied_backfill_cannot_become_a_transactional_file(
    database, other, table, backfill, write, counts
) -> None:
    text = "update o set n = n + 1, done = 1000 / (id - 4000) is not null where not done;"
    with pytest.raises(PartiallyApplied):
        migrate(database, (table, backfill(2, text)))
    before = counts(other)
    changed = before[1][1]

    with pytest.raises(PartiallyApplied, match="is no longer non-transactional") as error:
        migrate(database, (table, write(2, "update o set n = n + 1;")))
    with pytest.raises(PartiallyApplied, match="0002 step_2 is partially applied"):
        rollback(database, (table, backfill(2, text)), yes=True)

    assert counts(other) == before
    assert f"{changed:,} rows changed in batches: update o" in error.value.detail
    assert [str(migration) for migration in unfinished(other)] == [
        f"partially applied: {changed:,} rows changed in batches"
    ]

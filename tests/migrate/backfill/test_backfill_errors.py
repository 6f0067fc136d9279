"""Backfills that PostgreSQL, the data or somebody else is against."""

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
def test_a_condition_that_stays_true_is_refused_before_anything_is_kept(
    database, other, table, backfill, once, counts, condition
) -> None:
    text = once.replace("not done", condition)

    with pytest.raises(ForbiddenStatement, match="still holds") as refusal:
        migrate(database, (table, backfill(2, text)))

    assert refusal.value.place.text[refusal.value.place.column - 1 :].startswith(condition[:4])
    assert counts(other) == [(0, 5000)]
    assert [row.version for row in ledger.applied(other)] == [1]


def test_a_condition_that_stays_true_of_a_later_row_stops_there_and_says_so(
    database, other, table, backfill, counts
) -> None:
    text = "update o set n = n + 1, done = id < 3000 where not done;"

    with pytest.raises(
        PartiallyApplied, match=r"still holds for .* rows are changed and remain so"
    ) as refusal:
        migrate(database, (table, backfill(2, text)))

    assert "--resolve again" in refusal.value.hint
    assert other.execute("select n, count(*) from o where id >= 3000 group by n").fetchall() == [(0, 2001)]
    mended = "update o set n = n + 1, done = true where not done;"
    with pytest.raises(PartiallyApplied, match="was edited after it began") as changed:
        migrate(database, (table, backfill(2, mended)))
    assert "id < 3000" in changed.value.detail
    migrate(database, (table, backfill(2, mended)), options=Options(resolve="again"))
    assert counts(other) == [(1, 5000)]


def test_a_failure_in_the_middle_says_what_stays_and_where_it_goes_on(
    database, other, table, backfill, counts
) -> None:
    text = "update o set n = n + 1, done = 1000 / (id - 4000) is not null\nwhere not done;"
    line = (table, backfill(2, text))

    with pytest.raises(PartiallyApplied, match=r"division by zero.*% of the backfill") as refusal:
        migrate(database, line)

    assert refusal.value.exit_status == 7
    assert other.execute("select kind::text from aigym_db.event order by id desc limit 1").fetchone() == (
        "fail",
    )
    other.execute("delete from o where id = 4000")
    migrate(database, line)
    assert counts(other) == [(1, 4999)]


def test_a_row_that_is_held_for_ever_ends_the_run_half_way_and_names_the_holder(
    database, other, table, backfill, counts
) -> None:
    line = (table, backfill())
    options = Options(lock_timeout_ms=100, patience_ms=150)

    with (
        other.transaction(),
        pytest.raises(PartiallyApplied, match=r"did not get its lock.*remain so") as refusal,
    ):
        migrate(database, (table,))
        other.execute("select from o where id = 3000 for update")
        migrate(database, line, options=options)

    assert f"pid {other.info.backend_pid}" in refusal.value.detail
    assert "nothing changed" not in str(refusal.value)
    migrate(database, line)
    assert counts(other) == [(1, 5000)]


def test_a_table_that_is_locked_from_the_start_changes_nothing_and_says_that(
    database, other, table, backfill, counts
) -> None:
    migrate(database, (table,))

    with other.transaction(), pytest.raises(LockTimeout, match="nothing changed"):
        other.execute("lock table o in share mode")
        options = Options(lock_timeout_ms=100, patience_ms=150)
        migrate(database, (table, backfill()), options=options)

    assert counts(other) == [(0, 5000)]


def test_an_owner_from_whom_row_security_hides_rows_is_refused(
    database, other, table, write, backfill, counts
) -> None:
    name = other.info.dbname
    other.execute("create role hidden_owner login nosuperuser nobypassrls")
    other.execute(f"alter database {name} owner to hidden_owner; alter schema public owner to hidden_owner")
    plain = make_conninfo(database, user="hidden_owner")
    secured = write(
        2,
        "alter table o enable row level security; alter table o force row level security;"
        "create policy a_few on o using (id < 10);",
    )
    line = (table, secured, backfill(3))

    with pytest.raises(StatementFailed, match="row-level security") as refusal:
        migrate(plain, line)

    assert "BYPASSRLS" in refusal.value.hint
    assert counts(other) == [(0, 5000)]
    assert [row.version for row in ledger.applied(other)] == [1, 2]
    other.execute(f"alter database {name} owner to postgres")
    other.execute("drop owned by hidden_owner cascade; drop role hidden_owner")


def test_a_statement_that_is_no_backfill_is_found_before_anything_is_sent(
    database, other, table, backfill
) -> None:
    with pytest.raises(ForbiddenStatement, match="needs a WHERE"):
        migrate(database, (table, backfill(2, "update o set n = 1;")))

    assert ledger.applied(other) == ()


def test_a_statement_that_was_begun_and_changed_nothing_may_be_mended(
    database, other, table, backfill, once, counts
) -> None:
    with pytest.raises(StatementFailed, match="division by zero"):
        migrate(database, (table, backfill(2, once.replace("true", "1 / 0 = 1"))))

    migrate(database, (table, backfill()))

    assert counts(other) == [(1, 5000)]


def test_a_file_that_ran_statement_by_statement_is_no_backfill_afterwards(
    database, other, table, write, backfill, once
) -> None:
    with pytest.raises(PartiallyApplied):
        migrate(database, (table, write(2, f"{once}\nselect 1 / 0;", options=" transaction:false")))

    with pytest.raises(PartiallyApplied, match="statements of it were run one by one"):
        migrate(database, (table, backfill()))


def test_a_ledger_that_takes_no_more_lines_stops_it_half_way(
    database, other, table, backfill, counts
) -> None:
    line = (table, backfill())
    migrate(database, (table,))
    other.execute(
        """
        create function full_up() returns trigger language plpgsql
        as $$ begin raise 'the ledger is full' using errcode = 'disk_full'; end $$;
        create trigger full_up before insert on aigym_db.event for each row
        when (new.kind = 'done' and (new.detail ->> 'from')::int > 20) execute function full_up();
        """
    )

    with pytest.raises(PartiallyApplied, match=r"ledger is full.*rows are changed and remain so"):
        migrate(database, line)

    other.execute("drop trigger full_up on aigym_db.event")
    migrate(database, line)
    assert counts(other) == [(1, 5000)]


def test_a_pass_that_cannot_be_written_down_is_not_begun(database, other, table, backfill, counts) -> None:
    line = (table, backfill())
    migrate(database, (table,))
    # After the last batch, too, there is a row that is not done.
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


def test_one_that_is_half_done_and_becomes_a_plain_statement_changes_no_row_twice(
    database, other, table, backfill, write, counts
) -> None:
    text = "update o set n = n + 1, done = 1000 / (id - 4000) is not null where not done;"
    with pytest.raises(PartiallyApplied):
        migrate(database, (table, backfill(2, text)))
    before = counts(other)
    changed = before[1][1]

    with pytest.raises(PartiallyApplied, match="does not run outside a transaction any more") as refusal:
        migrate(database, (table, write(2, "update o set n = n + 1;")))
    with pytest.raises(PartiallyApplied, match="0002 step_2 is partially applied"):
        rollback(database, (table, backfill(2, text)), yes=True)

    assert counts(other) == before
    assert f"{changed:,} rows changed in batches: update o" in refusal.value.detail
    assert [str(one) for one in unfinished(other)] == [
        f"partially applied: {changed:,} rows changed in batches"
    ]

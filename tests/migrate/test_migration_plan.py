"""What is left to do, decided without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aigym_db.errors import (
    AigymError,
    BadCommandLine,
    EditedMigration,
    Irreversible,
    MissingMigration,
    OutOfOrder,
)
from aigym_db.migrate.plan import digest, overtaken, plan_down, plan_up
from aigym_db.model.migration import Applied, Migration

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def ran(*migrations: Migration) -> tuple[Applied, ...]:
    return tuple(Applied(one.version, one.name, f"sha256:{one.checksum}", WHEN, "dba") for one in migrations)


@pytest.fixture
def line(write) -> tuple[Migration, ...]:
    return tuple(write(version, f"select {version};") for version in range(1, 6))


def versions(plan) -> list[int]:
    return [migration.version for migration in plan.migrations]


def test_an_empty_ledger_leaves_everything_to_apply_oldest_first(line) -> None:
    assert versions(plan_up(line[::-1], ())) == [1, 2, 3, 4, 5]


def test_what_is_applied_is_not_planned_again(line) -> None:
    assert versions(plan_up(line, ran(*line[:3]))) == [4, 5]


def test_a_full_ledger_leaves_nothing(line) -> None:
    assert versions(plan_up(line, ran(*line))) == []


def test_up_stops_at_the_version_asked_for(line) -> None:
    assert versions(plan_up(line, ran(line[0]), to=3)) == [2, 3]


@pytest.mark.parametrize("to", [0, 6, -1])
def test_up_to_a_version_that_does_not_exist_is_refused(line, to: int) -> None:
    with pytest.raises(BadCommandLine):
        plan_up(line, (), to=to)


def test_up_to_a_version_the_database_has_passed_names_rollback(line) -> None:
    with pytest.raises(BadCommandLine) as refusal:
        plan_up(line, ran(*line), to=2)

    assert "rollback --to 2" in refusal.value.hint


def test_a_deleted_applied_file_is_refused(line) -> None:
    with pytest.raises(MissingMigration, match="0003 step_3"):
        plan_up(line[:2], ran(*line[:3]))


def renamed(migration: Migration, version: int, name: str) -> Migration:
    file = f"migrations/{version:04d}_{name}.sql"
    up = replace(migration.up, source=replace(migration.up.source, file=file))
    return replace(migration, version=version, name=name, file=file, up=up)


def test_a_renamed_applied_file_is_named_with_where_it_went(line) -> None:
    other = renamed(line[0], 1, "other")

    with pytest.raises(MissingMigration) as refusal:
        plan_up((other, *line[1:]), ran(line[0]))

    assert refusal.value.message == (
        "0001 step_1, which this database has run, was renamed: its text is now migrations/0001_other.sql."
    )
    assert refusal.value.hint == (
        "Rename it back: `git mv migrations/0001_other.sql migrations/0001_step_1.sql`."
    )
    assert str(refusal.value.place) == "migrations/0001_other.sql:1:1"


def test_files_that_changed_places_are_renamed_and_not_edited(line) -> None:
    swapped = (renamed(line[1], 1, "step_2"), renamed(line[0], 2, "step_1"))

    with pytest.raises(MissingMigration) as refusal:
        plan_up(swapped, ran(*line[:2]))

    assert "0001 step_1, which this database has run, was renamed" in refusal.value.message
    assert "`git mv migrations/0001_step_2.sql migrations/0002_step_2.sql`" in refusal.value.hint


def test_what_was_deleted_is_told_from_what_was_renamed(line) -> None:
    files = (renamed(line[0], 1, "other"), line[2])

    with pytest.raises(MissingMigration) as refusal:
        plan_up(files, ran(*line[:3]))

    assert refusal.value.message == (
        "This database has run 0002 step_2, which is not in migrations/. 0001 step_1, which this database "
        "has run, was renamed: its text is now migrations/0001_other.sql."
    )
    assert refusal.value.hint.startswith("Bring the file back from version control")


def test_a_file_with_the_same_text_as_another_applied_one_is_no_renamed_one(line) -> None:
    twin = renamed(line[0], 2, "step_2")

    with pytest.raises(MissingMigration, match="is not in migrations/"):
        plan_up((twin,), ran(line[0], twin))


def test_an_edited_applied_file_is_refused_even_without_a_lock(line, write) -> None:
    with pytest.raises(EditedMigration) as refusal:
        plan_up((write(1, "select 11;"), *line[1:]), ran(*line[:2]))

    assert str(refusal.value.place) == "migrations/0001_step_1.sql:1:1"
    assert "aigym-db new" in refusal.value.hint


def test_a_file_that_arrives_late_is_refused_with_the_list(line) -> None:
    with pytest.raises(OutOfOrder, match="0002 step_2 and 0003 step_3"):
        plan_up(line, ran(line[0], line[3]))


def test_the_way_out_for_late_files_is_in_the_refusal(line) -> None:
    with pytest.raises(OutOfOrder) as refusal:
        plan_up(line, ran(line[0], line[3]))

    assert "aigym-db migrate --allow-out-of-order 2 --allow-out-of-order 3" in refusal.value.hint
    # A late file comes before one that is applied, so to renumber it would leave a hole (AIG-T002).
    assert "number" not in refusal.value.hint
    assert str(refusal.value.place) == "migrations/0002_step_2.sql:1:1"


def test_a_late_file_that_was_allowed_runs_before_all_that_is_pending(line) -> None:
    plan = plan_up(line, ran(line[0], line[2], line[3]), allowed=frozenset([2]))

    assert versions(plan) == [2, 5]
    assert plan.late == {2: 4}


def test_to_a_late_file_that_was_allowed_runs_nothing_behind_it(line) -> None:
    assert versions(plan_up(line, ran(line[0], line[3]), to=2, allowed=frozenset([2, 3]))) == [2]


def test_allowing_one_late_file_allows_no_other(line) -> None:
    with pytest.raises(OutOfOrder, match="0003 step_3 came after"):
        plan_up(line, ran(line[0], line[3]), allowed=frozenset([2]))


@pytest.mark.parametrize("version", [1, 5])
def test_what_needs_no_permission_may_have_it(line, version: int) -> None:
    plan = plan_up(line, ran(*line[:4]), allowed=frozenset([version]))

    assert (versions(plan), plan.late) == ([5], {})


def test_allowing_what_does_not_exist_is_refused(line) -> None:
    with pytest.raises(BadCommandLine, match="There is no migration 0009"):
        plan_up(line, ran(*line), allowed=frozenset([9]))


def test_a_late_file_does_not_keep_anybody_from_going_back(line) -> None:
    assert versions(plan_down(line, ran(line[0], line[3]))) == [4]


def test_what_ran_out_of_order_is_seen_in_the_ledger(line) -> None:
    rows = ran(*line[:4])
    late = replace(rows[1], applied_at=WHEN + timedelta(days=1))

    assert overtaken((rows[0], late, rows[2], rows[3])) == {2: 4}
    assert overtaken(rows) == {}


def test_rollback_undoes_the_newest_by_default(line) -> None:
    assert versions(plan_down(line, ran(*line))) == [5]


def test_rollback_goes_newest_first(line) -> None:
    assert versions(plan_down(line, ran(*line), to=2)) == [5, 4, 3]


def test_rollback_to_nothing_undoes_everything(line) -> None:
    assert versions(plan_down(line, ran(*line[:3]), to=0)) == [3, 2, 1]


def test_rollback_by_steps(line) -> None:
    assert versions(plan_down(line, ran(*line), steps=2)) == [5, 4]


def test_rollback_with_an_empty_ledger_has_nothing_to_do(line) -> None:
    assert versions(plan_down(line, ())) == []


@pytest.mark.parametrize(
    "wish",
    [{"to": 7}, {"to": 4}, {"to": -1}, {"steps": 0}, {"steps": -1}, {"steps": 4}, {"to": 1, "steps": 1}],
)
def test_a_wish_that_cannot_be_met_is_refused(line, wish: dict[str, int]) -> None:
    with pytest.raises(BadCommandLine):
        plan_down(line, ran(*line[:3]), **wish)


def test_a_database_of_many_may_not_have_come_so_far(line) -> None:
    assert versions(plan_down(line, ran(*line[:3]), to=4, behind_too=True)) == []
    assert versions(plan_down(line, ran(*line), to=4, behind_too=True)) == [5]


def test_a_database_that_passed_a_version_by_did_not_stay_behind_it(line) -> None:
    with pytest.raises(BadCommandLine, match="is not applied, so there is no going back to it"):
        plan_down(line, ran(line[0], line[2]), to=2, behind_too=True)


def test_no_database_goes_back_to_what_does_not_exist(line) -> None:
    with pytest.raises(BadCommandLine, match="There is no migration 0009"):
        plan_down(line, ran(*line), to=9, behind_too=True)


def test_one_migration_that_cannot_be_undone_stops_the_whole_rollback(line, write) -> None:
    forever = write(2, "drop table old;", None)
    chain = (line[0], forever, line[2])

    with pytest.raises(Irreversible, match="0002 step_2 cannot be undone: what is gone is gone"):
        plan_down(chain, ran(*chain), to=0)


def test_undoing_what_came_after_it_is_no_trouble(line, write) -> None:
    chain = (line[0], write(2, "drop table old;", None), line[2])

    assert versions(plan_down(chain, ran(*chain), to=2)) == [3]


@pytest.mark.parametrize("decide", [plan_up, plan_down])
def test_a_plan_carries_the_digest_of_its_ledger(line, decide) -> None:
    ledger = ran(*line[:3])

    assert decide(line, ledger).ledger_digest == digest(ledger) != digest(ledger[:2])


@pytest.mark.parametrize("refusal", [EditedMigration, MissingMigration, OutOfOrder])
def test_what_does_not_agree_exits_with_five(refusal: type[AigymError]) -> None:
    assert refusal("").exit_status == 5

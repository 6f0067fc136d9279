"""The plan: what to apply or roll back, decided without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aigym_db.errors import (
    AigymError,
    BadCommandLine,
    EditedMigration,
    Irreversible,
    MissingMigration,
    OutOfOrder,
)
from aigym_db.migrate.history import applied_out_of_order, digest
from aigym_db.migrate.plan import plan_down, plan_up
from aigym_db.model.migration import Applied, Migration

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def ran(*migrations: Migration) -> tuple[Applied, ...]:
    return tuple(
        Applied(migration.version, migration.name, f"sha256:{migration.checksum}", WHEN, "dba")
        for migration in migrations
    )


@pytest.fixture
def line(write) -> tuple[Migration, ...]:
    return tuple(write(version, f"select {version};") for version in range(1, 6))


def versions(plan) -> list[int]:
    return [migration.version for migration in plan.migrations]


def test_an_empty_ledger_leaves_everything_to_apply_oldest_first(line) -> None:
    assert versions(plan_up(line[::-1], ())) == [1, 2, 3, 4, 5]


def test_applied_migrations_are_not_planned_again(line) -> None:
    assert versions(plan_up(line, ran(*line[:3]))) == [4, 5]


def test_a_full_ledger_leaves_nothing(line) -> None:
    assert versions(plan_up(line, ran(*line))) == []


def test_up_stops_at_the_given_version(line) -> None:
    assert versions(plan_up(line, ran(line[0]), to=3)) == [2, 3]


@pytest.mark.parametrize("to", [0, 6, -1])
def test_up_to_a_version_that_does_not_exist_is_rejected(line, to: int) -> None:
    with pytest.raises(BadCommandLine):
        plan_up(line, (), to=to)


def test_up_to_a_version_older_than_the_newest_applied_one_names_rollback(line) -> None:
    with pytest.raises(BadCommandLine) as raised:
        plan_up(line, ran(*line), to=2)

    assert "rollback --to 2" in raised.value.hint


def test_a_deleted_applied_file_is_rejected(line) -> None:
    with pytest.raises(MissingMigration, match="0003 step_3"):
        plan_up(line[:2], ran(*line[:3]))


def renamed(migration: Migration, version: int, name: str) -> Migration:
    file = f"migrations/{version:04d}_{name}.sql"
    up = replace(migration.up, source=replace(migration.up.source, file=file))
    return replace(migration, version=version, name=name, file=file, up=up)


def test_a_renamed_applied_file_is_listed_with_its_new_name(line) -> None:
    other = renamed(line[0], 1, "other")

    with pytest.raises(MissingMigration) as raised:
        plan_up((other, *line[1:]), ran(line[0]))

    assert raised.value.message == (
        "0001 step_1 is applied, and its file was renamed to migrations/0001_other.sql."
    )
    assert raised.value.hint == (
        "Rename it back: `git mv migrations/0001_other.sql migrations/0001_step_1.sql`."
    )
    assert str(raised.value.place) == "migrations/0001_other.sql:1:1"


def test_files_with_swapped_names_are_renamed_and_not_edited(line) -> None:
    swapped = (renamed(line[1], 1, "step_2"), renamed(line[0], 2, "step_1"))

    with pytest.raises(MissingMigration) as raised:
        plan_up(swapped, ran(*line[:2]))

    assert "0001 step_1 is applied, and its file was renamed" in raised.value.message
    assert "`git mv migrations/0001_step_2.sql migrations/0002_step_2.sql`" in raised.value.hint


def test_deleted_and_renamed_files_are_listed_separately(line) -> None:
    files = (renamed(line[0], 1, "other"), line[2])

    with pytest.raises(MissingMigration) as raised:
        plan_up(files, ran(*line[:3]))

    assert raised.value.message == (
        "0002 step_2 is applied but missing from migrations/. 0001 step_1 is applied, and its file was "
        "renamed to migrations/0001_other.sql."
    )
    assert raised.value.hint.startswith("Bring the file back from version control")


def test_a_copy_of_an_applied_file_does_not_count_as_renamed(line) -> None:
    twin = renamed(line[0], 2, "step_2")

    with pytest.raises(MissingMigration, match="missing from migrations/"):
        plan_up((twin,), ran(line[0], twin))


def test_an_edited_applied_file_is_rejected_even_without_a_lock_file(line, write) -> None:
    with pytest.raises(EditedMigration) as raised:
        plan_up((write(1, "select 11;"), *line[1:]), ran(*line[:2]))

    assert str(raised.value.place) == "migrations/0001_step_1.sql:1:1"
    assert "aigym-db new" in raised.value.hint


def test_late_files_are_rejected_with_the_list(line) -> None:
    with pytest.raises(OutOfOrder, match="0002 step_2 and 0003 step_3"):
        plan_up(line, ran(line[0], line[3]))


def test_the_error_for_late_files_names_the_option(line) -> None:
    with pytest.raises(OutOfOrder) as raised:
        plan_up(line, ran(line[0], line[3]))

    assert "aigym-db migrate --allow-out-of-order 2 --allow-out-of-order 3" in raised.value.hint
    # A late file is older than an applied one, so renumbering it would leave a gap (AIG-T002).
    assert "number" not in raised.value.hint
    assert str(raised.value.place) == "migrations/0002_step_2.sql:1:1"


def test_an_allowed_late_file_is_applied_before_the_pending_ones(line) -> None:
    plan = plan_up(line, ran(line[0], line[2], line[3]), allowed=frozenset([2]))

    assert versions(plan) == [2, 5]
    assert plan.late == {2: 4}


def test_up_to_an_allowed_late_file_applies_nothing_after_it(line) -> None:
    assert versions(plan_up(line, ran(line[0], line[3]), to=2, allowed=frozenset([2, 3]))) == [2]


def test_allowing_one_late_file_allows_no_other(line) -> None:
    with pytest.raises(OutOfOrder, match="0003 step_3 is not applied"):
        plan_up(line, ran(line[0], line[3]), allowed=frozenset([2]))


@pytest.mark.parametrize("version", [1, 5])
def test_a_file_that_is_not_late_may_be_allowed(line, version: int) -> None:
    plan = plan_up(line, ran(*line[:4]), allowed=frozenset([version]))

    assert (versions(plan), plan.late) == ([5], {})


def test_allowing_a_version_that_does_not_exist_is_rejected(line) -> None:
    with pytest.raises(BadCommandLine, match="There is no migration 0009"):
        plan_up(line, ran(*line), allowed=frozenset([9]))


def test_a_late_file_does_not_prevent_a_rollback(line) -> None:
    assert versions(plan_down(line, ran(line[0], line[3]))) == [4]


def test_migrations_applied_out_of_order_are_found_in_the_ledger(line) -> None:
    rows = ran(*line[:4])
    late = replace(rows[1], applied_at=WHEN + timedelta(days=1))

    assert applied_out_of_order((rows[0], late, rows[2], rows[3])) == {2: 4}
    assert applied_out_of_order(rows) == {}


def test_rollback_covers_the_newest_by_default(line) -> None:
    assert versions(plan_down(line, ran(*line))) == [5]


def test_rollback_is_newest_first(line) -> None:
    assert versions(plan_down(line, ran(*line), to=2)) == [5, 4, 3]


def test_rollback_to_0_covers_everything(line) -> None:
    assert versions(plan_down(line, ran(*line[:3]), to=0)) == [3, 2, 1]


def test_rollback_by_steps(line) -> None:
    assert versions(plan_down(line, ran(*line), steps=2)) == [5, 4]


def test_rollback_with_an_empty_ledger_has_nothing_to_do(line) -> None:
    assert versions(plan_down(line, ())) == []


@pytest.mark.parametrize(
    "arguments",
    [{"to": 7}, {"to": 4}, {"to": -1}, {"steps": 0}, {"steps": -1}, {"steps": 4}, {"to": 1, "steps": 1}],
)
def test_arguments_that_cannot_be_met_are_rejected(line, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadCommandLine):
        plan_down(line, ran(*line[:3]), **arguments)


def test_a_database_of_a_fleet_may_be_behind_the_version(line) -> None:
    assert versions(plan_down(line, ran(*line[:3]), to=4, allow_behind=True)) == []
    assert versions(plan_down(line, ran(*line), to=4, allow_behind=True)) == [5]


def test_a_database_that_skipped_a_version_is_not_behind_it(line) -> None:
    with pytest.raises(BadCommandLine, match="is not applied, so the database cannot be rolled back to it"):
        plan_down(line, ran(line[0], line[2]), to=2, allow_behind=True)


def test_rollback_to_a_version_that_does_not_exist_is_rejected(line) -> None:
    with pytest.raises(BadCommandLine, match="There is no migration 0009"):
        plan_down(line, ran(*line), to=9, allow_behind=True)


def test_an_irreversible_migration_in_the_range_rejects_the_whole_rollback(line, write) -> None:
    irreversible = write(2, "drop table old;", None)
    chain = (line[0], irreversible, line[2])

    with pytest.raises(Irreversible, match="0002 step_2 cannot be rolled back: what is gone is gone"):
        plan_down(chain, ran(*chain), to=0)


def test_migrations_after_an_irreversible_one_can_be_rolled_back(line, write) -> None:
    chain = (line[0], write(2, "drop table old;", None), line[2])

    assert versions(plan_down(chain, ran(*chain), to=2)) == [3]


@pytest.mark.parametrize("decide", [plan_up, plan_down])
def test_a_plan_carries_the_digest_of_its_ledger(line, decide) -> None:
    ledger = ran(*line[:3])

    assert decide(line, ledger).ledger_digest == digest(ledger) != digest(ledger[:2])


@pytest.mark.parametrize("error", [EditedMigration, MissingMigration, OutOfOrder])
def test_a_mismatch_has_exit_status_5(error: type[AigymError]) -> None:
    assert error("").exit_status == 5

"""What is left to do, decided without a server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aigym_db.errors import (
    AigymError,
    BadCommandLine,
    EditedApplied,
    Irreversible,
    MissingApplied,
    OutOfOrder,
)
from aigym_db.migrate.plan import digest, plan_down, plan_up
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
    with pytest.raises(MissingApplied, match="0003 step_3"):
        plan_up(line[:2], ran(*line[:3]))


def test_a_renamed_applied_file_counts_as_gone(line, write) -> None:
    with pytest.raises(MissingApplied):
        plan_up((write(1, "select 1;", name="other"), *line[1:]), ran(line[0]))


def test_an_edited_applied_file_is_refused_even_without_a_lock(line, write) -> None:
    with pytest.raises(EditedApplied) as refusal:
        plan_up((write(1, "select 11;"), *line[1:]), ran(*line[:2]))

    assert str(refusal.value.place) == "migrations/0001_step_1.sql:1:1"
    assert "aigym-db new" in refusal.value.hint


def test_a_file_that_arrives_late_is_refused_with_the_list(line) -> None:
    with pytest.raises(OutOfOrder, match="0002 step_2 and 0003 step_3"):
        plan_up(line, ran(line[0], line[3]))


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


@pytest.mark.parametrize("refusal", [EditedApplied, MissingApplied, OutOfOrder])
def test_what_does_not_agree_exits_with_five(refusal: type[AigymError]) -> None:
    assert refusal("").exit_status == 5

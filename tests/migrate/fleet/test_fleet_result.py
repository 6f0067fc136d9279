"""The targets to confirm after a fleet rollback, and the merged result of two runs."""

from __future__ import annotations

import pytest

from aigym_db.errors import AigymError, DataLoss, Interrupted, StatementFailed
from aigym_db.migrate.fleet.result import FleetResult, TargetResult
from aigym_db.model.migration import Plan
from aigym_db.project.targets import Fleet

PLAN = Plan("down", (), "digest")


@pytest.fixture
def results(target):
    """One target that would lose data, and one that has not started."""
    loss = DataLoss("would destroy data", plan=PLAN)
    first = TargetResult(target("first", "a"), "rejected", error=loss)
    return first, TargetResult(target("second", "b", canary=True))


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_targets_that_would_lose_data_need_a_confirmation(results, on_failure) -> None:
    result = FleetResult(results, results[0].error)

    assert result.data_loss(Fleet((), on_failure=on_failure)) == {results[0].target: PLAN}


def test_after_a_signal_no_target_is_to_be_confirmed(results) -> None:
    assert FleetResult(results, Interrupted("stopped")).data_loss(Fleet((), on_failure="continue")) == {}


@pytest.mark.parametrize(("on_failure", "canary"), [("stop", False), ("continue", True)])
def test_after_an_error_that_stops_the_fleet_no_target_is_to_be_confirmed(
    results, target, on_failure, canary
) -> None:
    failed = TargetResult(target("third", "c", canary=canary), "failed", error=StatementFailed("no"))
    result = FleetResult((*results, failed), failed.error)

    assert result.data_loss(Fleet((), on_failure=on_failure)) == {}


def test_after_an_error_that_does_not_stop_the_fleet_targets_are_to_be_confirmed(results, target) -> None:
    failed = TargetResult(target("third", "c"), "failed", error=StatementFailed("no"))
    result = FleetResult((*results, failed), failed.error)

    assert list(result.data_loss(Fleet((), on_failure="continue"))) == [results[0].target]


@pytest.mark.parametrize("later", [None, Interrupted("stopped")])
def test_the_merged_result_contains_the_targets_of_both_runs(
    results, target, later: AigymError | None
) -> None:
    failed = TargetResult(target("third", "c"), "failed", error=StatementFailed("no"))
    done = TargetResult(target("fourth", "d"), "done")
    again = TargetResult(results[0].target, "done"), TargetResult(results[1].target, "done")

    result = FleetResult((*results, failed, done), results[0].error).merged(FleetResult(again, later))

    assert result.targets == (*again, failed, done)
    assert result.error is (later or failed.error)

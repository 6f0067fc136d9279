"""What a yes is worth asking for after a fleet went back, and what became of all in the end."""

from __future__ import annotations

import pytest

from aigym_db.errors import AigymError, DataLoss, Interrupted, StatementFailed
from aigym_db.migrate.fleet.result import FleetResult, TargetResult
from aigym_db.model.migration import Plan
from aigym_db.project.targets import Fleet

PLAN = Plan("down", (), "digest")


@pytest.fixture
def outcomes(target):
    """One that would lose data, and one that has not started."""
    refusal = DataLoss("would destroy data")
    refusal.plan = PLAN
    first = TargetResult(target("first", "a"), "refused", refusal=refusal)
    return first, TargetResult(target("second", "b", canary=True))


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_those_that_would_lose_data_are_asked_about(outcomes, on_failure) -> None:
    result = FleetResult(outcomes, outcomes[0].refusal)

    assert result.losing(Fleet((), on_failure=on_failure)) == {outcomes[0].target: PLAN}


def test_after_a_signal_nobody_is_asked(outcomes) -> None:
    assert FleetResult(outcomes, Interrupted("stopped")).losing(Fleet((), on_failure="continue")) == {}


@pytest.mark.parametrize(("on_failure", "canary"), [("stop", False), ("continue", True)])
def test_where_another_failure_keeps_them_back_nobody_is_asked(outcomes, target, on_failure, canary) -> None:
    failed = TargetResult(target("third", "c", canary=canary), "failed", refusal=StatementFailed("no"))
    result = FleetResult((*outcomes, failed), failed.refusal)

    assert result.losing(Fleet((), on_failure=on_failure)) == {}


def test_where_others_go_on_after_a_failure_those_are_asked_about(outcomes, target) -> None:
    failed = TargetResult(target("third", "c"), "failed", refusal=StatementFailed("no"))
    result = FleetResult((*outcomes, failed), failed.refusal)

    assert list(result.losing(Fleet((), on_failure="continue"))) == [outcomes[0].target]


@pytest.mark.parametrize("later", [None, Interrupted("stopped")])
def test_in_the_end_everything_counts_that_was_done(outcomes, target, later: AigymError | None) -> None:
    failed = TargetResult(target("third", "c"), "failed", refusal=StatementFailed("no"))
    done = TargetResult(target("fourth", "d"), "done")
    again = TargetResult(outcomes[0].target, "done"), TargetResult(outcomes[1].target, "done")

    result = FleetResult((*outcomes, failed, done), outcomes[0].refusal).then(FleetResult(again, later))

    assert result.outcomes == (*again, failed, done)
    assert result.refusal is (later or failed.refusal)

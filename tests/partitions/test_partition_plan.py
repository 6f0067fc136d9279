"""The steps that are due, decided without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from aigym_db.errors import BadConfig, FormerPartition
from aigym_db.partitions.interval import Interval, interval_at, interval_of, intervals, suffix
from aigym_db.partitions.layout import Former, Layout, Partition
from aigym_db.partitions.plan import PartitionPlan, plan
from aigym_db.partitions.strategy import Strategy

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
STRATEGY = Strategy("app.events", "at", "month", premade=2, keep=3)


def month(year: int, number: int) -> Interval:
    return interval_at("month", datetime(year, number, 1, tzinfo=UTC))


def partition(interval: Interval) -> Partition:
    name = f"events_{suffix('month', interval)}"
    return Partition("app", name, False, interval.lower, interval.upper, False, 0)


def layout(first: tuple[int, int], last: tuple[int, int], strategy: Strategy = STRATEGY) -> Layout:
    """A table with a partition for each of these months, and the overflow partition."""
    months = intervals("month", month(*first).lower, month(*last).lower)
    overflow = Partition("app", "events_overflow", False, months[-1].upper, None, False, 0)
    return Layout(
        strategy, "app", "events", "app", "events_", "at", True, ("id", "at"), ("id", "at"), (), True,
        (*map(partition, months), overflow),
    )  # fmt: skip


def steps(plan: PartitionPlan) -> list[tuple[str, list[str]]]:
    return [(step.kind, [due.name for due in step.partitions]) for step in plan.steps]


def test_nothing_is_due_while_partitions_exist_ahead() -> None:
    assert plan([layout((2026, 9), (2027, 1))], NOW).steps == ()


def test_a_month_later_one_partition_is_due() -> None:
    due = plan([layout((2026, 9), (2027, 1))], datetime(2026, 12, 1, tzinfo=UTC))

    assert steps(due) == [("create", ["events_p202702"])]


def test_a_table_without_partitions_gets_those_from_now_on() -> None:
    empty = replace(layout((2026, 9), (2027, 1)), partitions=())

    assert steps(plan([empty], NOW)) == [("create", ["events_p202611", "events_p202612", "events_p202701"])]


def test_a_missing_overflow_partition_is_due() -> None:
    table = layout((2026, 9), (2027, 1))
    closed = replace(table, partitions=table.partitions[:-1])

    assert steps(plan([closed], NOW)) == [("create", [])]


def test_rows_in_the_overflow_partition_are_copied_before_the_partitions_are_created() -> None:
    table = replace(layout((2026, 6), (2026, 8)), overflow_rows=((month(2026, 9), 3), (month(2026, 11), 4)))

    due = plan([table], NOW)

    assert steps(due) == [
        ("copy", ["events_p202609"]),
        ("copy", ["events_p202611"]),
        ("create", [f"events_p{name}" for name in (202609, 202610, 202611, 202612, 202701)]),
        ("detach", ["events_p202606"]),
        ("detach", ["events_p202607"]),
    ]
    assert [step.rows for step in due.steps] == [3, 4, 7, 0, 0]


def test_without_a_primary_key_rows_are_moved_by_the_step_that_creates() -> None:
    table = replace(layout((2026, 8), (2026, 8)), overflow_rows=((month(2026, 9), 3),), primary_key=())

    assert [step.kind for step in plan([table], NOW).steps] == ["create"]


def test_rows_later_than_every_partition_are_not_due() -> None:
    table = replace(layout((2026, 9), (2027, 1)), overflow_rows=((month(2031, 1), 1),))

    assert plan([table], NOW).steps == ()


def test_expired_intervals_without_rows_are_not_created() -> None:
    table = replace(layout((2026, 1), (2026, 2)), overflow_rows=((month(2026, 3), 1),))

    assert steps(plan([table], NOW)) == [
        ("copy", ["events_p202603"]),
        (
            "create",
            [f"events_p{name}" for name in (202603, 202608, 202609, 202610, 202611, 202612, 202701)],
        ),
        ("detach", ["events_p202601"]),
        ("detach", ["events_p202602"]),
        ("detach", ["events_p202603"]),
    ]  # fmt: skip


@pytest.mark.parametrize("hours", [-1, 5])
def test_a_partition_begins_where_one_with_the_bounds_of_another_time_zone_ends(hours: int) -> None:
    months = [month(2026, 10), month(2026, 11)]
    shift = timedelta(hours=hours)
    local = [Interval(each.lower + shift, each.upper + shift) for each in months]
    table = replace(layout((2026, 10), (2026, 11)), partitions=tuple(map(partition, local)))

    (create,) = plan([table], NOW).steps

    assert create.partitions[0].interval.lower == local[-1].upper
    assert create.partitions[-1].interval == month(2027, 1)
    for earlier, later in pairwise(create.partitions):
        assert earlier.interval.upper == later.interval.lower


def test_several_gaps_within_an_interval_are_an_error() -> None:
    middle = Interval(datetime(2026, 12, 10, tzinfo=UTC), datetime(2026, 12, 11, tzinfo=UTC))
    table = replace(layout((2026, 10), (2026, 11)), partitions=(partition(middle),))

    with pytest.raises(BadConfig, match=r"leave 2 gaps in the interval of events_p202612"):
        plan([table], NOW)


def test_older_partitions_can_be_requested_and_are_not_detached_before_they_are_filled() -> None:
    due = plan([layout((2026, 9), (2027, 1))], NOW, since=datetime(2026, 6, 5, tzinfo=UTC))

    assert steps(due) == [("create", ["events_p202606", "events_p202607", "events_p202608"])]


def test_a_table_with_the_name_of_a_due_partition_is_an_error() -> None:
    former = Former("events_p202702", month(2027, 2), None, None, 0)
    table = replace(layout((2026, 9), (2027, 1)), former=(former,))

    with pytest.raises(FormerPartition, match=r"app\.events_p202702 exists and is not a partition"):
        plan([table], datetime(2026, 12, 1, tzinfo=UTC))


def test_an_interrupted_detach_is_completed_first() -> None:
    table = layout((2026, 9), (2027, 1))
    pending = replace(partition(month(2026, 7)), is_pending=True)

    due = plan([replace(table, partitions=(pending, *table.partitions))], NOW)

    assert steps(due) == [("finalize", ["events_p202607"])]


def test_a_detached_partition_is_archived_and_dropped_a_week_later() -> None:
    table = replace(
        layout((2026, 9), (2027, 1)), former=(Former("events_p202606", month(2026, 6), NOW, None, 5),)
    )
    archived = replace(table, former=(Former("events_p202606", month(2026, 6), NOW, 5, 5),))
    later = NOW + timedelta(days=7)

    assert plan([table], NOW).unarchived == ("app.events_p202606",)
    assert steps(plan([table], NOW, archive=True, drop=True)) == [("archive", ["events_p202606"])]
    assert steps(plan([archived], NOW + timedelta(hours=1), archive=True, drop=True)) == []
    assert ("drop", ["events_p202606"]) in steps(plan([archived], later, archive=True, drop=True))
    assert ("drop", ["events_p202606"]) not in steps(plan([archived], later, archive=True))


def test_an_unrecorded_detach_is_recorded() -> None:
    table = replace(
        layout((2026, 9), (2027, 1)), former=(Former("events_p202606", month(2026, 6), None, None, 5),)
    )

    assert steps(plan([table], NOW, archive=True)) == [
        ("mark", ["events_p202606"]),
        ("archive", ["events_p202606"]),
    ]


def test_a_strategy_can_switch_its_parts_off() -> None:
    off = replace(STRATEGY, create=False, detach=False)

    assert plan([layout((2026, 1), (2026, 2), off)], NOW).steps == ()


def test_a_name_that_is_too_long_is_an_error() -> None:
    table = replace(layout((2026, 9), (2026, 9)), prefix="e" * 60)

    with pytest.raises(BadConfig, match="longer than 63 bytes"):
        plan([table], NOW)


@pytest.mark.parametrize(
    ("width", "name", "lower", "upper"),
    [
        ("day", "p20261130", "2026-11-30", "2026-12-01"),
        ("week", "p20261130", "2026-11-30", "2026-12-07"),
        ("month", "p202611", "2026-11-01", "2026-12-01"),
        ("year", "p2026", "2026-01-01", "2027-01-01"),
    ],
)
def test_names_and_intervals_correspond(width: str, name: str, lower: str, upper: str) -> None:
    interval = interval_at(width, NOW)  # type: ignore[arg-type]

    assert interval == Interval(
        *(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (lower, upper))
    )
    assert suffix(width, interval) == name  # type: ignore[arg-type]
    assert interval_of(width, name) == interval  # type: ignore[arg-type]
    assert interval_of(width, "overflow") is None  # type: ignore[arg-type]
    assert interval_at(width, interval.upper, -1) == interval  # type: ignore[arg-type]


def test_a_month_that_does_not_exist_is_no_interval() -> None:
    assert interval_of("month", "p202613") is None

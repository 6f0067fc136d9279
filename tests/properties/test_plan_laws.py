"""Properties of every plan, for any files and any ledger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aigym_db.errors import EditedMigration, MissingMigration, OutOfOrder, WrongPhase
from aigym_db.migrate.history import applied_out_of_order
from aigym_db.migrate.phases import phase_of
from aigym_db.migrate.plan import plan_down, plan_up
from aigym_db.model.migration import Applied, Migration, Part, Plan
from aigym_db.model.source import Source

BOUNDED = settings(deadline=None, derandomize=True, max_examples=300)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def migration(version: int, phase=None) -> Migration:
    name = f"step_{version}"
    source = Source(f"migrations/{version:04d}_{name}.sql", f"-- migrate:up\nselect {version};\n")
    part = Part(source, 0, len(source.text))
    return Migration(version, name, source.file, part, part, None, f"{version:064x}", phase=phase)


@dataclass
class Ledger:
    """The ledger of a simulated database."""

    rows: tuple[Applied, ...] = ()

    def run(self, plan: Plan) -> None:
        """Execute the plan in its order."""
        for migration in plan.migrations:
            if plan.direction == "up":
                applied_at = BEGINNING + timedelta(seconds=len(self.rows))
                checksum = f"sha256:{migration.checksum}"
                row = Applied(migration.version, migration.name, checksum, applied_at, "dba")
                self.rows = (*self.rows, row)
            else:
                self.rows = tuple(row for row in self.rows if row.version != migration.version)

    @property
    def versions(self) -> list[int]:
        return [row.version for row in self.rows]


def lines(least: int = 0) -> st.SearchStrategy[tuple[Migration, ...]]:
    phases = st.lists(st.sampled_from([None, "expand", "contract"]), min_size=least, max_size=12)
    return phases.map(
        lambda some: tuple(migration(version, phase) for version, phase in enumerate(some, start=1))
    )


def upto(line: tuple[Migration, ...], count: int) -> Ledger:
    ledger = Ledger()
    ledger.run(plan_up(line[:count], ()))
    return ledger


@BOUNDED
@given(st.data(), lines())
def test_applying_a_plan_leaves_nothing_to_plan(data: st.DataObject, line: tuple[Migration, ...]) -> None:
    ledger = upto(line, data.draw(st.integers(0, len(line))))

    ledger.run(plan_up(line, ledger.rows))

    assert ledger.versions == [migration.version for migration in line]
    assert plan_up(line, ledger.rows).migrations == ()


@BOUNDED
@given(st.data(), lines(1))
def test_applying_in_two_runs_equals_applying_in_one(
    data: st.DataObject, line: tuple[Migration, ...]
) -> None:
    start = data.draw(st.integers(0, len(line) - 1))
    stop = data.draw(st.integers(start + 1, len(line)))
    ledger, straight = upto(line, start), upto(line, start)

    ledger.run(plan_up(line, ledger.rows, to=stop))
    ledger.run(plan_up(line, ledger.rows))
    straight.run(plan_up(line, straight.rows))

    assert ledger.versions == straight.versions


@BOUNDED
@given(st.data(), lines(1))
def test_rolling_back_what_was_applied_restores_the_ledger(
    data: st.DataObject, line: tuple[Migration, ...]
) -> None:
    start = data.draw(st.integers(0, len(line)))
    ledger = upto(line, start)
    before = ledger.versions
    up = plan_up(line, ledger.rows)
    ledger.run(up)

    down = plan_down(line, ledger.rows, to=start)
    ledger.run(down)

    assert down.migrations == up.migrations[::-1]
    assert ledger.versions == before


@BOUNDED
@given(st.data(), lines(1))
def test_rolling_back_by_steps_equals_rolling_back_to_a_version(
    data: st.DataObject, line: tuple[Migration, ...]
) -> None:
    ledger = upto(line, len(line))
    steps = data.draw(st.integers(1, len(line)))

    by_steps = plan_down(line, ledger.rows, steps=steps)

    assert by_steps.migrations == plan_down(line, ledger.rows, to=len(line) - steps).migrations


@BOUNDED
@given(st.data(), lines(1))
def test_the_order_in_which_files_and_rows_are_read_makes_no_difference(
    data: st.DataObject, line: tuple[Migration, ...]
) -> None:
    ledger = upto(line, data.draw(st.integers(0, len(line))))
    files = tuple(data.draw(st.permutations(line)))
    rows = tuple(data.draw(st.permutations(ledger.rows)))

    assert plan_up(files, rows) == plan_up(line, ledger.rows)
    assert plan_down(files, rows, to=0) == plan_down(line, ledger.rows, to=0)


@BOUNDED
@given(st.data(), lines(1), st.sampled_from([plan_up, plan_down]))
def test_an_edited_applied_file_is_always_rejected(data: st.DataObject, line, decide) -> None:
    ledger = upto(line, data.draw(st.integers(1, len(line))))
    index = data.draw(st.integers(0, len(ledger.rows) - 1))
    edited = replace(line[index], checksum="f" * 64)

    with pytest.raises(EditedMigration):
        decide((*line[:index], edited, *line[index + 1 :]), ledger.rows)


@BOUNDED
@given(st.data(), lines(1), st.sampled_from([plan_up, plan_down]), st.booleans())
def test_a_missing_or_renamed_applied_file_is_always_rejected(
    data: st.DataObject, line, decide, renamed: bool
) -> None:
    ledger = upto(line, data.draw(st.integers(1, len(line))))
    index = data.draw(st.integers(0, len(ledger.rows) - 1))
    replacement = (replace(line[index], name="other", file="migrations/other.sql"),) if renamed else ()

    with pytest.raises(MissingMigration) as raised:
        decide((*line[:index], *replacement, *line[index + 1 :]), ledger.rows)

    assert ("was renamed" in raised.value.message) == renamed


@BOUNDED
@given(st.data(), lines(2))
def test_late_files_are_rejected_until_all_are_allowed_and_then_all_are_applied(
    data: st.DataObject, line
) -> None:
    late = data.draw(st.sets(st.integers(1, len(line) - 1), min_size=1))
    ledger = upto(tuple(migration for migration in line if migration.version not in late), len(line))
    allowed = frozenset(data.draw(st.sets(st.sampled_from(sorted(late)))))
    assume(allowed != late)
    with pytest.raises(OutOfOrder):
        plan_up(line, ledger.rows, allowed=allowed)

    plan = plan_up(line, ledger.rows, allowed=frozenset(late))
    ledger.run(plan)

    assert sorted(ledger.versions) == [migration.version for migration in line]
    assert set(plan.late) == late == set(applied_out_of_order(ledger.rows))
    assert plan_up(line, ledger.rows).migrations == ()
    assert [migration.version for migration in plan_down(line, ledger.rows, to=0).migrations] == [
        migration.version for migration in reversed(line)
    ]


@BOUNDED
@given(st.data(), lines(), st.sampled_from(["expand", "contract"]))
def test_a_phase_covers_the_next_migrations_and_lists_the_others_as_waiting(
    data: st.DataObject, line, phase
) -> None:
    ledger = upto(line, data.draw(st.integers(0, len(line))))
    pending = plan_up(line, ledger.rows).migrations
    try:
        plan = plan_up(line, ledger.rows, phase=phase)
    except WrongPhase:
        # A migration of this phase is pending, after one of the other phase.
        assert set(map(phase_of, pending)) == {"expand", "contract"}
        return

    assert plan.migrations + plan.waiting == pending
    assert set(map(phase_of, plan.migrations)) <= {phase}
    assert phase == "contract" or "expand" not in set(map(phase_of, plan.waiting))


@BOUNDED
@given(lines())
def test_phase_by_phase_all_migrations_are_applied_in_order(line) -> None:
    ledger = Ledger()
    # One release after the other: each ends with its own contracts.
    for number, last in enumerate(line, start=1):
        after = line[number] if number < len(line) else None
        if after is None or (phase_of(last), phase_of(after)) == ("contract", "expand"):
            if phase_of(line[len(ledger.rows)]) == "expand":
                ledger.run(plan_up(line, ledger.rows, to=number, phase="expand"))
            ledger.run(plan_up(line, ledger.rows, to=number, phase="contract"))

    assert ledger.versions == [migration.version for migration in line]

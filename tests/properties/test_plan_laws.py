"""What must hold of every plan, whatever the files and the ledger are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aigym_db.errors import EditedMigration, MissingMigration, OutOfOrder, WrongPhase
from aigym_db.migrate.phases import phase_of
from aigym_db.migrate.plan import overtaken, plan_down, plan_up
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
    """A database that remembers what it ran."""

    rows: tuple[Applied, ...] = ()

    def run(self, plan: Plan) -> None:
        """Applies or undoes what the plan says, in its order."""
        for one in plan.migrations:
            if plan.direction == "up":
                at = BEGINNING + timedelta(seconds=len(self.rows))
                row = Applied(one.version, one.name, f"sha256:{one.checksum}", at, "dba")
                self.rows = (*self.rows, row)
            else:
                self.rows = tuple(row for row in self.rows if row.version != one.version)

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

    assert ledger.versions == [one.version for one in line]
    assert plan_up(line, ledger.rows).migrations == ()


@BOUNDED
@given(st.data(), lines(1))
def test_stopping_on_the_way_makes_no_difference(data: st.DataObject, line: tuple[Migration, ...]) -> None:
    start = data.draw(st.integers(0, len(line) - 1))
    stop = data.draw(st.integers(start + 1, len(line)))
    ledger, straight = upto(line, start), upto(line, start)

    ledger.run(plan_up(line, ledger.rows, to=stop))
    ledger.run(plan_up(line, ledger.rows))
    straight.run(plan_up(line, straight.rows))

    assert ledger.versions == straight.versions


@BOUNDED
@given(st.data(), lines(1))
def test_going_up_and_down_again_is_standing_still(data: st.DataObject, line: tuple[Migration, ...]) -> None:
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
def test_steps_and_a_version_lead_to_the_same_place(data: st.DataObject, line: tuple[Migration, ...]) -> None:
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
def test_an_edited_applied_file_is_always_refused(data: st.DataObject, line, decide) -> None:
    ledger = upto(line, data.draw(st.integers(1, len(line))))
    at = data.draw(st.integers(0, len(ledger.rows) - 1))
    edited = replace(line[at], checksum="f" * 64)

    with pytest.raises(EditedMigration):
        decide((*line[:at], edited, *line[at + 1 :]), ledger.rows)


@BOUNDED
@given(st.data(), lines(1), st.sampled_from([plan_up, plan_down]), st.booleans())
def test_a_missing_or_renamed_applied_file_is_always_refused(
    data: st.DataObject, line, decide, renamed: bool
) -> None:
    ledger = upto(line, data.draw(st.integers(1, len(line))))
    at = data.draw(st.integers(0, len(ledger.rows) - 1))
    instead = (replace(line[at], name="other", file="migrations/other.sql"),) if renamed else ()

    with pytest.raises(MissingMigration) as refusal:
        decide((*line[:at], *instead, *line[at + 1 :]), ledger.rows)

    assert ("was renamed" in refusal.value.message) == renamed


@BOUNDED
@given(st.data(), lines(2))
def test_late_files_are_refused_until_all_are_allowed_and_then_nothing_is_missing(
    data: st.DataObject, line
) -> None:
    late = data.draw(st.sets(st.integers(1, len(line) - 1), min_size=1))
    ledger = upto(tuple(one for one in line if one.version not in late), len(line))
    allowed = frozenset(data.draw(st.sets(st.sampled_from(sorted(late)))))
    assume(allowed != late)
    with pytest.raises(OutOfOrder):
        plan_up(line, ledger.rows, allowed=allowed)

    plan = plan_up(line, ledger.rows, allowed=frozenset(late))
    ledger.run(plan)

    assert sorted(ledger.versions) == [one.version for one in line]
    assert set(plan.late) == late == set(overtaken(ledger.rows))
    assert plan_up(line, ledger.rows).migrations == ()
    assert [one.version for one in plan_down(line, ledger.rows, to=0).migrations] == [
        one.version for one in reversed(line)
    ]


@BOUNDED
@given(st.data(), lines(), st.sampled_from(["expand", "contract"]))
def test_a_phase_takes_the_next_in_line_and_hides_nothing(data: st.DataObject, line, phase) -> None:
    ledger = upto(line, data.draw(st.integers(0, len(line))))
    pending = plan_up(line, ledger.rows).migrations
    try:
        plan = plan_up(line, ledger.rows, phase=phase)
    except WrongPhase:
        # There is something of this phase to do, and something of the other in front of it.
        assert {phase_of(one) for one in pending} == {"expand", "contract"}
        return

    assert plan.migrations + plan.waiting == pending
    assert {phase_of(one) for one in plan.migrations} <= {phase}
    assert phase == "contract" or "expand" not in {phase_of(one) for one in plan.waiting}


@BOUNDED
@given(lines())
def test_phase_by_phase_the_whole_line_is_applied_in_order(line) -> None:
    ledger = Ledger()
    # As one release after the other would: each stops where its own contracts end.
    for number, one in enumerate(line, start=1):
        after = line[number] if number < len(line) else None
        if after is None or (phase_of(one), phase_of(after)) == ("contract", "expand"):
            if phase_of(line[len(ledger.rows)]) == "expand":
                ledger.run(plan_up(line, ledger.rows, to=number, phase="expand"))
            ledger.run(plan_up(line, ledger.rows, to=number, phase="contract"))

    assert ledger.versions == [one.version for one in line]

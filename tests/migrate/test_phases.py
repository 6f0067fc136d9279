"""Expand migrations before an application switches, contract migrations after it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aigym_db.database import ledger
from aigym_db.errors import BadMigration, WrongPhase
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.plan import plan_up
from aigym_db.model.migration import Applied, Migration, Plan

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def line(write):
    """Create migrations from letters: e(xpand), c(ontract) and - for a file without a phase."""

    def create(letters: str) -> tuple[Migration, ...]:
        options = {"e": " phase:expand", "c": " phase:contract", "-": ""}
        return tuple(
            write(version, f"create table t{version} ();", f"drop table t{version};", options=options[letter])
            for version, letter in enumerate(letters, start=1)
        )

    return create


def ran(*migrations: Migration) -> tuple[Applied, ...]:
    return tuple(
        Applied(migration.version, migration.name, f"sha256:{migration.checksum}", WHEN, "dba")
        for migration in migrations
    )


def planned(plan: Plan) -> tuple[list[int], list[int]]:
    return (
        [migration.version for migration in plan.migrations],
        [migration.version for migration in plan.waiting],
    )


@pytest.mark.parametrize(
    ("letters", "applied", "phase", "runs", "waits"),
    [
        ("-ec", 0, "expand", [1, 2], [3]),
        ("-ec", 2, "expand", [], [3]),
        ("-ec", 2, "contract", [3], []),
        ("eccc", 1, "contract", [2, 3, 4], []),
        ("ece", 1, "contract", [2], [3]),
        ("ecec", 1, "contract", [2], [3, 4]),
        ("ee", 1, "contract", [], [2]),
        ("ee", 2, "contract", [], []),
        ("ee", 0, "expand", [1, 2], []),
        ("-ecec", 0, None, [1, 2, 3, 4, 5], []),
    ],
)
def test_a_phase_covers_the_next_migrations_of_that_phase(
    line, letters: str, applied: int, phase, runs: list[int], waits: list[int]
) -> None:
    migrations = line(letters)

    assert planned(plan_up(migrations, ran(*migrations[:applied]), phase=phase)) == (runs, waits)


@pytest.mark.parametrize(
    ("letters", "applied", "phase", "left_out", "other"),
    [
        ("ece", 1, "expand", "0003", "0002"),
        ("ece", 0, "expand", "0003", "0002"),
        ("ec-", 1, "expand", "0003", "0002"),
        ("ec", 0, "contract", "0002", "0001"),
        ("-c", 0, "contract", "0002", "0001"),
    ],
)
def test_a_migration_of_the_requested_phase_is_never_skipped_silently(
    line, letters: str, applied: int, phase, left_out: str, other: str
) -> None:
    migrations = line(letters)

    with pytest.raises(WrongPhase) as raised:
        plan_up(migrations, ran(*migrations[:applied]), phase=phase)

    assert raised.value.exit_status == 3
    assert raised.value.message.startswith(f"{left_out} step_")
    assert str(raised.value.place) == f"migrations/{other}_step_{int(other)}.sql:2:1"


def test_expand_can_stop_before_an_older_contract(line) -> None:
    migrations = line("ece")
    with pytest.raises(WrongPhase) as raised:
        plan_up(migrations, (), phase="expand")

    assert "`aigym-db migrate --phase expand --to 1`" in raised.value.hint
    assert planned(plan_up(migrations, (), to=1, phase="expand")) == ([1], [])


def test_expand_and_contract_together_apply_all_migrations(database, other, line) -> None:
    migrations = line("-ecc")

    before = migrate(database, migrations, options=Options(phase="expand"))
    between = [row.version for row in ledger.applied(other)]
    after = migrate(database, migrations, options=Options(phase="contract"))

    assert (len(before), between, len(after)) == (2, [1, 2], 2)
    assert [row.version for row in ledger.applied(other)] == [1, 2, 3, 4]


def test_a_contract_before_its_expand_changes_nothing(database, other, line) -> None:
    with pytest.raises(WrongPhase):
        migrate(database, line("ec"), options=Options(phase="contract"))

    assert ledger.applied(other) == ()


def test_pending_migrations_of_another_phase_are_reported(database, line, listener) -> None:
    migrate(database, line("ec"), options=Options(phase="expand"), observer=listener)

    assert [planned(plan) for plan in listener.plans] == [([1], [2])]


@pytest.mark.parametrize(
    ("options", "down_options", "message", "place"),
    [
        (" phase:contact", "", "`phase` cannot be `contact`", "2:15"),
        (" phase:", "", "`phase` has no value", "2:15"),
        (" phase:expand phase:contract", "", "`phase` is given twice", "2:28"),
        ("", " phase:contract", "`phase` is an option of `migrate:up`", "4:17"),
    ],
)
def test_an_invalid_phase_is_rejected_with_its_place(
    write, options: str, down_options: str, message: str, place: str
) -> None:
    with pytest.raises(BadMigration, match=message) as raised:
        write(1, "select 1;", options=options, down_options=down_options)

    assert str(raised.value.place) == f"migrations/0001_step_1.sql:{place}"


def test_a_late_file_is_recorded_as_out_of_order(database, other, line) -> None:
    migrations = line("----")
    migrate(database, migrations[:2])
    migrate(database, (migrations[0], migrations[1], migrations[3]))

    migrate(database, migrations, options=Options(out_of_order=frozenset([3])))

    rows = other.execute("select version, detail from aigym_db.event where kind = 'apply' order by id")
    assert rows.fetchall() == [(1, {}), (2, {}), (4, {}), (3, {"out_of_order": True, "after": 4})]
    assert migrate(database, migrations) == ()


def test_a_late_non_transactional_file_is_recorded_as_out_of_order(database, other, write) -> None:
    late = write(1, "vacuum;", "select 1;", options=" transaction:false")
    newer = write(2, "select 1;")
    migrate(database, (newer,))

    migrate(database, (late, newer), options=Options(out_of_order=frozenset([1])))

    rows = other.execute("select detail from aigym_db.event where kind = 'apply' and version = 1")
    assert rows.fetchall() == [({"out_of_order": True, "after": 2},)]

"""Mutants of policies are killed by a cell, have an entry in equivalents.toml, or are reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.calls import call_trial
from aigym_db.access.equivalents import read_equivalents
from aigym_db.access.findings import surviving_mutants
from aigym_db.access.matrix import read_matrix
from aigym_db.access.mutants import MutationReport, mutate
from aigym_db.access.mutations import read_access_rules
from aigym_db.access.trial import trial
from aigym_db.database.servers.databases import clone
from aigym_db.database.servers.server import Server
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import MUTANT_KINDS, Mutant, Survivor

SELF = "app.memberships memberships_insert: WITH CHECK without user_id <> (SELECT guard.me() AS me)"

Run = Callable[[], MutationReport]


@pytest.fixture
def run(connection: psycopg.Connection, mini: Path) -> Run:
    def test() -> MutationReport:
        matrix = read_matrix(mini)
        prepared, calls = trial(connection, matrix), call_trial(connection, matrix)
        return mutate(prepared, read_equivalents(mini), calls, test_equivalents=True)

    return test


def test_every_mutation_operator_is_applied(connection: psycopg.Connection, mini: Path) -> None:
    prepared = trial(connection, read_matrix(mini))

    names = {mutation.mutant.id for mutation in read_access_rules(connection).mutations(prepared)}

    assert names >= {
        "app.units units_select: dropped",
        "app.units units_select: made restrictive",
        "app.units units_select: USING true",
        "app.units units_insert: WITH CHECK true",
        "app.notes notes_select: USING without deleted_at IS NULL",
        "app.memberships memberships_select: USING without user_id = (SELECT guard.me() AS me)",
        "app.log: row-level security off",
        "guard.tenants(): without m.ended_at IS NULL",
        "guard.tenants(): without WHERE m.user_id = (SELECT guard.me()) AND m.ended_at IS NULL",
        "guard.governs(): without m.level = 'admin'",
    }


def test_the_cells_kill_every_mutant_that_is_not_equivalent(mini: Path, run: Run) -> None:
    report = run()

    assert report.failed == {}
    assert [survivor.mutant.id for survivor in report.survivors if not survivor.equivalent] == [SELF]
    assert [finding.message for finding in surviving_mutants(report.survivors, read_matrix(mini))] == [
        f"No cell kills the mutant: {SELF}."
    ]


def test_a_killed_mutant_is_reported_with_the_cell_that_killed_it(run: Run) -> None:
    assert run().killed["app.log: row-level security off"].startswith("app.log: ")


def test_the_place_of_a_surviving_mutant_is_that_of_the_cells_of_its_table(mini: Path) -> None:
    matrix = read_matrix(mini)
    mutant = Mutant("app.units units_select: dropped", "", "policy", "app.units")

    (finding,) = surviving_mutants([Survivor(mutant)], matrix)

    assert finding.place == matrix.tables["app.units"].place


def test_a_mutant_with_an_entry_in_equivalents_is_no_finding(mini: Path, run: Run) -> None:
    (mini / "policies/equivalents.toml").write_text(
        f'[[equivalent]]\nmutant = "{SELF}"\nreason = "An admin without a membership is no admin."\n'
    )

    report = run()

    assert report.rate == 1.0
    assert list(surviving_mutants(report.survivors, read_matrix(mini))) == []


def test_equivalent_mutants_are_counted_but_tested_only_on_request(
    mini: Path, connection: psycopg.Connection
) -> None:
    killed = "app.notes notes_select: dropped"
    (mini / "policies/equivalents.toml").write_text(f'[[equivalent]]\nmutant = "{killed}"\nreason = "x"\n')
    prepared, equivalents = trial(connection, read_matrix(mini)), read_equivalents(mini)

    report = mutate(prepared, equivalents, names={"app.notes"})

    assert killed not in report.tested
    assert {item.mutant.id: item.equivalent for item in report.survivors}[killed] == "x"
    with pytest.raises(BadAccessMatrix, match="is killed by a cell"):
        mutate(prepared, equivalents, names={"app.notes"}, test_equivalents=True)


def test_mutants_are_counted_by_kind(run: Run) -> None:
    report = run()

    kinds = {kind: report.of_kind(kind) for kind in MUTANT_KINDS}
    assert sum(len(part.mutants) for part in kinds.values()) == len(report.mutants)
    assert sum(part.tried for part in kinds.values()) == report.tried
    assert "guard.tenants(): without m.ended_at IS NULL" in kinds["helper"].killed
    assert "app.units units_select: dropped" in kinds["policy"].killed
    assert kinds["function"].mutants == ()


def test_entries_in_equivalents_hold_for_a_selection_of_tables(
    mini: Path, connection: psycopg.Connection
) -> None:
    (mini / "policies/equivalents.toml").write_text(f'[[equivalent]]\nmutant = "{SELF}"\nreason = "x"\n')
    prepared, equivalents = trial(connection, read_matrix(mini)), read_equivalents(mini)

    with_it = mutate(prepared, equivalents, names={SELF.partition(" ")[0]})
    without_it = mutate(prepared, equivalents, names={"app.notes"})

    assert {item.mutant.id: item.equivalent for item in with_it.survivors}[SELF] == "x"
    assert SELF not in {item.mutant.id for item in without_it.survivors}


@pytest.mark.parametrize(
    ("mutant", "message"),
    [
        ("app.units units_select: dropped", "is killed by a cell"),
        ("app.units units_select: painted green", "There is no mutant"),
    ],
)
def test_an_unused_entry_is_rejected(mini: Path, run: Run, mutant: str, message: str) -> None:
    (mini / "policies/equivalents.toml").write_text(
        f'[[equivalent]]\nmutant = "{mutant}"\nreason = "None."\n'
    )

    with pytest.raises(BadAccessMatrix, match=message) as raised:
        run()

    assert raised.value.place is not None
    assert raised.value.place.line == 2


@pytest.mark.parametrize(
    "text", ['[[equivalent]]\nmutant = "x"\n', '[[equivalent]]\nreason = "x"\n', "equal = []\n"]
)
def test_an_entry_without_mutant_or_reason_is_rejected(mini: Path, text: str) -> None:
    (mini / "policies/equivalents.toml").write_text(text)

    with pytest.raises(BadAccessMatrix):
        read_equivalents(mini)


def test_cells_that_differ_without_a_mutation_kill_no_mutant(
    connection: psycopg.Connection, run: Run
) -> None:
    connection.execute("alter policy units_insert on app.units with check (true)")

    report = run()

    killer = report.killed["app.units units_select: USING true"]
    assert "insert" not in killer


def test_the_policies_are_unchanged_afterwards(connection: psycopg.Connection, run: Run) -> None:
    texts = (
        "select polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) "
        "from pg_policy order by 1"
    )
    connection.execute("select set_config('search_path', '', false)")
    before = connection.execute(texts.encode()).fetchall()

    run()

    assert connection.execute(texts.encode()).fetchall() == before


def test_several_clones_return_the_same_result_as_one(
    server: Server, connection: psycopg.Connection, mini: Path
) -> None:
    alone = mutate(trial(connection, read_matrix(mini)), read_equivalents(mini), names={"app.notes"})
    name = connection.info.dbname
    connection.close()

    with (
        psycopg.connect(clone(server, name).dsn, autocommit=True) as first,
        psycopg.connect(clone(server, name).dsn, autocommit=True) as second,
    ):
        shared = mutate(
            trial([first, second], read_matrix(mini)), read_equivalents(mini), names={"app.notes"}
        )

    assert (shared.killed.keys(), shared.survivors) == (alone.killed.keys(), alone.survivors)


def test_results_of_the_cells_can_be_reused(connection: psycopg.Connection, mini: Path) -> None:
    prepared = trial(connection, read_matrix(mini))
    results = prepared.run()

    reused = mutate(prepared, read_equivalents(mini), results=results, names={"app.notes"})
    executed = mutate(prepared, read_equivalents(mini), names={"app.notes"})

    assert reused == executed
    assert mutate(prepared, read_equivalents(mini), results=(), names={"app.notes"}).killed == {}

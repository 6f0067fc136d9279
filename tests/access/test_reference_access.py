"""The reference database: its policies match the access matrix, and mutants of them are killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aigym_db.access.calls import call_trial
from aigym_db.access.equivalents import read_equivalents
from aigym_db.access.escalations import escalations
from aigym_db.access.findings import coverage_gaps, differing_cells, surviving_mutants
from aigym_db.access.matrix import read_matrix
from aigym_db.access.mutants import mutate
from aigym_db.access.report import access_report
from aigym_db.access.test_database import open_test_database
from aigym_db.access.trial import Trial, trial
from aigym_db.access.trigger_differences import trigger_differences
from aigym_db.model.access import MUTANT_KINDS
from aigym_db.project.cards import cards
from aigym_db.project.config import find
from tests.support.sampling import sampled

PROJECT = find(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def tried() -> Iterator[Trial]:
    """The statements of all cells of the reference database, prepared on two clones."""
    with open_test_database(PROJECT) as base, base.connection() as first, base.connection() as second:
        yield trial([first, second], read_matrix(PROJECT.root))


def test_every_cell_matches(tried: Trial) -> None:
    results = tried.run()
    outcomes = tried.outcomes(results)

    assert [finding.message for finding in differing_cells(outcomes)] == []
    assert [finding.message for finding in trigger_differences(tried, results, outcomes)] == []
    assert [finding.message for finding in escalations(tried, results).findings] == []
    assert [finding.message for finding in coverage_gaps(tried)] == []


def test_every_table_has_cells() -> None:
    assert set(read_matrix(PROJECT.root).tables) == set(cards(PROJECT))


def test_every_table_requires_the_session_level_of_its_card() -> None:
    tables, actors = read_matrix(PROJECT.root).tables, read_matrix(PROJECT.root).actors

    weak = {
        (card.name, actor.name)
        for card in cards(PROJECT).values()
        for actor in actors.values()
        if card.mfa not in actor.provides and any(tables[card.name].cells[actor.name, "select"].classes)
    }

    assert weak == set()


def test_every_owner_and_tenant_column_is_a_reassignment_column() -> None:
    tables = read_matrix(PROJECT.root).tables

    missing = {
        f"{card.name}.{column}"
        for card in cards(PROJECT).values()
        for column in (card.owner_column, card.tenant_column)
        if column and column not in tables[card.name].reassignments
    }

    assert missing == set()


@pytest.mark.parametrize(
    "table", sampled(["iam.units", "iam.memberships", "ai.conversations", "audit.audit_log"], 4)
)
def test_the_mutants_of_a_policy_are_killed(tried: Trial, table: str) -> None:
    report = mutate(tried, read_equivalents(PROJECT.root), names={table})

    assert report.killed
    assert [finding.message for finding in surviving_mutants(report.survivors, tried.matrix)] == []


@pytest.mark.parametrize("function", sampled(["iam.grant_role", "iam.invite", "iam.accept_invitation"], 3))
def test_the_mutants_of_a_function_are_killed(tried: Trial, function: str) -> None:
    calls = call_trial(tried.connections, tried.matrix, {function})

    report = mutate(tried, read_equivalents(PROJECT.root), calls, names={function})

    assert f"{function}(" in " ".join(report.killed)
    assert [finding.message for finding in surviving_mutants(report.survivors, tried.matrix)] == []


@pytest.mark.exhaustive
def test_every_mutant_is_killed_or_equivalent() -> None:
    """Mutants declared equivalent are executed, too: an entry for one that a cell kills is an error."""
    with access_report(PROJECT) as report:
        assert report.findings == () and report.trial is not None
        mutated = mutate(
            report.trial,
            read_equivalents(PROJECT.root),
            report.call_trial,
            results=report.results,
            outcomes=report.calls,
            test_equivalents=True,
        )

    assert [finding.message for finding in surviving_mutants(mutated.survivors, report.trial.matrix)] == []
    assert mutated.failed == {}
    assert all(mutated.of_kind(kind).killed for kind in MUTANT_KINDS)

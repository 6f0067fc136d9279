"""The reference database: its policies do what people answered, and broken ones are noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aigym_db.access.equivalents import equivalents
from aigym_db.access.findings import surfaces, survivors, with_triggers, wrong_answers
from aigym_db.access.matrix import answers
from aigym_db.access.mutants import mutate
from aigym_db.access.test_database import stage
from aigym_db.access.trial import Trial, trial
from aigym_db.project.cards import cards
from aigym_db.project.config import find

PROJECT = find(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def tried() -> Iterator[Trial]:
    """All answers of the reference database, ready on two clones."""
    with stage(PROJECT) as place, place.connection() as one, place.connection() as two:
        yield trial([one, two], answers(PROJECT.root))


def test_every_answer_holds(tried: Trial) -> None:
    outcomes = tried.outcomes()

    assert [finding.message for finding in wrong_answers(outcomes)] == []
    assert [finding.message for finding in with_triggers(tried)] == []
    assert [finding.message for finding in surfaces(tried)] == []


def test_every_table_has_its_answers() -> None:
    assert set(answers(PROJECT.root).sheets) == set(cards(PROJECT))


def test_every_answer_sheet_asks_what_the_card_asks_of_a_session() -> None:
    sheets, actors = answers(PROJECT.root).sheets, answers(PROJECT.root).actors

    weak = {
        (card.name, actor.name)
        for card in cards(PROJECT).values()
        for actor in actors.values()
        if card.mfa not in actor.meets and any(sheets[card.name].cells[actor.name, "select"].classes)
    }

    assert weak == set()


def test_every_owner_and_tenant_column_is_tried_with_the_values_of_others() -> None:
    sheets = answers(PROJECT.root).sheets

    untried = {
        f"{card.name}.{column}"
        for card in cards(PROJECT).values()
        for column in (card.owner_column, card.tenant_column)
        if column and column not in sheets[card.name].moves
    }

    assert untried == set()


@pytest.mark.parametrize("table", ["iam.memberships", "iam.units", "ai.conversations", "audit.audit_log"])
def test_a_broken_policy_is_noticed(tried: Trial, table: str) -> None:
    found = mutate(tried, equivalents(PROJECT.root), tables={table})

    assert found.killed
    assert [finding.message for finding in survivors(found.survivors)] == []

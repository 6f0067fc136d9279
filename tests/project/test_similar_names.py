"""Similar names in hints: misspellings only."""

from __future__ import annotations

import pytest

from aigym_db.errors import BadCard, BadMigration
from aigym_db.model.source import Source
from aigym_db.model.wording import similar
from aigym_db.project import cards
from aigym_db.project.migrations import parse


@pytest.mark.parametrize(
    ("name", "choices", "expected"),
    [
        ("migrat", ["migrate", "rollback"], ["migrate"]),
        ("transction", ["transaction", "role"], ["transaction"]),
        ("lock1", ["LOCK01", "lock"], ["LOCK01"]),
        ("ownr", ["owner", "rows"], ["owner"]),
        ("titel", ["title"], ["title"]),
        ("uid", ["id", "title"], []),
        ("nope", ["notes"], []),
        ("app.nope", ["app.notes"], []),
    ],
)
def test_only_a_misspelt_name_is_similar(name: str, choices: list[str], expected: list[str]) -> None:
    assert similar(name, choices) == expected


@pytest.mark.parametrize(
    ("up", "down", "hint"),
    [
        ("transction:false", "", "Write `transaction:false`."),
        ("", "irreversible", "Write `irreversible: REASON`, with the reason"),
        ("", "irreversible:", "Write `irreversible: REASON`, with the reason"),
        ("", "irreversible no way", "Write `irreversible: no way`."),
    ],
)
def test_a_misspelt_option_of_a_marker_is_rejected_with_the_line_to_write(
    up: str, down: str, hint: str
) -> None:
    text = f"-- migrate:up {up}\nselect 1;\n-- migrate:down {down}\n"

    with pytest.raises(BadMigration) as caught:
        parse(Source("0001_x.sql", text), 1, "x")

    assert caught.value.hint.startswith(hint)


def test_a_line_of_a_card_without_its_colon_is_rejected_with_the_line_to_write() -> None:
    text = "-- app.notes: a text.\n-- tenancy: owner\n-- mfa none\n"

    with pytest.raises(BadCard) as caught:
        cards.card(Source("schema/app/notes.sql.j2", text))

    assert caught.value.hint == "Write `-- mfa: none`."

"""Domains: every error has the place of the word that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aigym_db.errors import BadConfig
from aigym_db.project.config import Project
from aigym_db.project.domains import FILE, domains

Make = Callable[[dict[str, str]], Project]
ONE = '[[domain]]\nname = "one"\npurpose = "é😀"\nowner = "us"\n'


def domain_error(make: Make, text: str) -> BadConfig:
    with pytest.raises(BadConfig) as caught:
        domains(make({FILE: text}))
    return caught.value


def test_domains_are_read_in_order(make: Make) -> None:
    parsed = domains(make({}))

    assert [domain.name for domain in parsed] == ["a", "b", "auth"]
    assert parsed[0].may_reference == ("b", "auth")
    assert [domain.external for domain in parsed] == [False, False, True]


def test_a_project_without_state_has_no_domains(tmp_path: Path) -> None:
    assert domains(Project(tmp_path)) == ()


def test_a_state_without_domains_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()

    with pytest.raises(BadConfig, match=r"no schema/domains\.toml"):
        domains(Project(tmp_path))


@pytest.mark.parametrize(
    ("text", "shown", "hint"),
    [
        (ONE + "may_refrence = []", (5, "may_refrence = []"), "Write `may_reference`."),
        (ONE + "colour = 1", (5, "colour = 1"), "Use one of"),
        (ONE + "external = 1", (5, "external = 1"), "Write e.g. `external = true`."),
        (
            ONE + "may_reference = [1]",
            (5, "1]"),
            'Write e.g. `may_reference = ["one", "two"]`.',
        ),
        (ONE + 'may_reference = [\n  "one",\n  "onne",\n]', (7, '"onne",'), "Write `one`."),
        (ONE + '[[domain]]\nname = "two"', (5, "[[domain]]"), "Add `purpose = …`"),
        (ONE + ONE, (6, 'name = "one"'), "Merge"),
        (ONE.replace("one", "On e"), (2, 'name = "On e"'), "Use lower case"),
        (ONE.replace('"us"', '""'), (4, 'owner = ""'), 'Write e.g. `owner = "…"`.'),
        (ONE + "\n[defaults]\nx = 1", (6, "[defaults]"), "Use one of: domain"),
        ('[domain]\nname = "x"', (1, "[domain]"), "Begin each table with `[[domain]]`."),
        (ONE + "external = yes", (5, "yes"), "Correct"),
    ],
)
def test_a_mistake_is_shown_at_its_word(make: Make, text: str, shown: tuple[int, str], hint: str) -> None:
    error = domain_error(make, text)

    assert error.place is not None
    assert (error.place.line, error.place.text[error.place.column - 1 :]) == shown
    assert error.hint.startswith(hint)

"""docs/access-matrix.md names every key of the access matrix, and its examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aigym_db.access import actors, equivalents, matrix_files
from aigym_db.access.actors import read_actors
from aigym_db.access.equivalents import read_equivalents
from aigym_db.access.matrix_files import read_matrix_files
from aigym_db.model.access import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs/access-matrix.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text of one section of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def example(title: str) -> str:
    return re.findall(r"```toml\n(.*?)```", section(title), re.DOTALL)[0]


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("Actors", (*actors.KEYS, *actors.ACTOR_KEYS)),
        ("Tables", ("archetype", *matrix_files.TABLE_KEYS)),
        ("Archetypes", matrix_files.ARCHETYPE_KEYS),
        ("Equivalents", equivalents.KEYS),
    ],
)
def test_every_key_has_a_row_and_every_row_a_key(title: str, keys: tuple[str, ...]) -> None:
    assert sorted(re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE)) == sorted(keys)


def test_the_five_columns_are_named_in_order() -> None:
    assert f"in the order {', '.join(COMMANDS)};" in section("Tables")
    assert re.findall(r"^# +(.*)$", example("Tables"), re.MULTILINE)[0].split() == [*COMMANDS]


def test_the_examples_are_valid(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    for title, file in (("Actors", "actors"), ("Tables", "app.access"), ("Equivalents", "equivalents")):
        (tmp_path / f"policies/{file}.toml").write_text(example(title), encoding="utf-8")

    (table,), _ = read_matrix_files(tmp_path, read_actors(tmp_path))

    assert table.table == "app.notes"
    assert len(read_equivalents(tmp_path).entries) == 1

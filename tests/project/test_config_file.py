"""The settings in aigym-db.toml and pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from aigym_db.errors import BadConfig, NoProject
from aigym_db.project.config import find


def test_the_nearest_project_above_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.aigym-db]\nowner = "boss"\n')
    (tmp_path / "a/b").mkdir(parents=True)

    project = find(tmp_path / "a/b")

    assert (project.root, project.owner) == (tmp_path, "boss")


def test_migrations_alone_are_a_project(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()

    assert find(tmp_path).has_state is False


def test_an_empty_configuration_file_is_a_project(tmp_path: Path) -> None:
    (tmp_path / "aigym-db.toml").touch()

    assert find(tmp_path).lock_timeout_ms == 2_000


def test_a_folder_without_a_project_is_rejected_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(NoProject) as caught:
        find(tmp_path)

    assert "aigym-db init" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ('# é\nownr = "x"\n', "no key `ownr`", "aigym-db.toml:2:1"),
        ("owner = 3\n", "`owner` must be a string", "aigym-db.toml:1:1"),
        ("lock_timeout_ms = true\n", "must be a whole number", "aigym-db.toml:1:1"),
        ("durable = 1\n", "must be true or false", "aigym-db.toml:1:1"),
        ('transaction = "all"\n', 'must be "migration" or "run"', "aigym-db.toml:1:1"),
        ('search_path = "public"\n', "must be a list of schema names", "aigym-db.toml:1:1"),
        ('search_path = ["public", ""]\n', "list of schema names", "aigym-db.toml:1:1"),
        ('search_path = ["$user", "public"]\n', "none of them", "aigym-db.toml:1:1"),
        ('search_path = ["app", "public", "app"]\n', "each once", "aigym-db.toml:1:1"),
        ('seeds = ["a", 1]\n', "must be a list of strings", "aigym-db.toml:1:1"),
        ('owner = "a"\nlint = { "x" = "fatal" }\n', 'each value is "error"', "aigym-db.toml:2:1"),
        ("owner = \n", "not valid TOML", "aigym-db.toml:1:9"),
    ],
)
def test_an_invalid_setting_is_rejected_with_its_place(
    tmp_path: Path, text: str, message: str, place: str
) -> None:
    (tmp_path / "aigym-db.toml").write_text(text)

    with pytest.raises(BadConfig, match=message) as caught:
        find(tmp_path)

    assert str(caught.value.place) == place
    assert caught.value.hint

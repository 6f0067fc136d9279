"""The settings in aigym-db.toml and pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aigym_db.api import lint
from aigym_db.database.servers import binaries
from aigym_db.errors import BadConfig, NoProject, ServerUnfit
from aigym_db.project.config import find, is_server_name
from aigym_db.seeds.plan import configured_seed_sets


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
        ('# é\nownr = "x"\n', "no setting `ownr`", "aigym-db.toml:2:1"),
        ("owner = 3\n", "`owner` must be the name of a role", "aigym-db.toml:1:1"),
        ('owner = ""\n', "`owner` must be the name of a role", "aigym-db.toml:1:1"),
        ('partition_schema = ""\n', "must be the name of a schema", "aigym-db.toml:1:1"),
        ("search_path = []\n", "one or more schema names", "aigym-db.toml:1:1"),
        ('server = "nonsense"\n', "`server` must be the name of a server: ", "aigym-db.toml:1:1"),
        ('server = "path:"\n', "`server` must be the name of a server: ", "aigym-db.toml:1:1"),
        ("lock_timeout_ms = true\n", "must be a whole number", "aigym-db.toml:1:1"),
        ("durable = 1\n", "must be true or false", "aigym-db.toml:1:1"),
        ('transaction = "all"\n', 'must be "migration" or "run"', "aigym-db.toml:1:1"),
        ('search_path = "public"\n', "must be a list of one or more", "aigym-db.toml:1:1"),
        ('search_path = ["public", ""]\n', "list of one or more", "aigym-db.toml:1:26"),
        ('search_path = ["$user", "public"]\n', "none of them", "aigym-db.toml:1:16"),
        ('search_path = ["app", "public", "app"]\n', "each once", "aigym-db.toml:1:1"),
        ('seeds = ["a", 1]\n', "names of seed sets", "aigym-db.toml:1:15"),
        ('owner = "a"\nlint = { "x" = "fatal" }\n', '`x` must be "error", ', "aigym-db.toml:2:10"),
        ('[lint]\na = "off"\nb = "of"\n', '`b` must be "error", ', "aigym-db.toml:3:1"),
        ("lint = 1\n", 'a table in which each value is "error"', "aigym-db.toml:1:1"),
        ("owner = \n", "not valid TOML", "aigym-db.toml:1:9"),
    ],
)
def test_an_invalid_setting_is_rejected_with_its_place(
    tmp_path: Path, text: str, message: str, place: str
) -> None:
    (tmp_path / "aigym-db.toml").write_text(text)

    with pytest.raises(BadConfig, match=re.escape(message)) as caught:
        find(tmp_path)

    assert str(caught.value.place) == place
    assert caught.value.hint[0].isupper()
    # The hint does not repeat the message.
    required = caught.value.message.partition(" must be ")[2].removesuffix(".")
    assert not required or required not in caught.value.hint


@pytest.mark.parametrize("folder", ["seeds/test", "migrations"])
def test_a_project_without_the_folders_of_its_seed_sets_is_found(tmp_path: Path, folder: str) -> None:
    (tmp_path / "aigym-db.toml").write_text('seeds = ["reference"]\n')
    (tmp_path / folder).mkdir(parents=True)

    assert find(tmp_path).seeds == ("reference",)


@pytest.mark.parametrize(
    ("folder", "hint"),
    [
        ("seeds/one", "Write `one`."),
        ("seeds/test", "Use one of: test."),
        ("seeds", "Create the folder seeds/onne."),
        ("schema", "Create the folder seeds/onne."),
    ],
)
def test_a_seed_set_without_a_folder_is_rejected_where_the_sets_are_loaded(
    tmp_path: Path, folder: str, hint: str
) -> None:
    (tmp_path / "aigym-db.toml").write_text('seeds = ["onne"]\n')
    (tmp_path / folder).mkdir(parents=True)

    with pytest.raises(BadConfig, match="no folder seeds/onne") as caught:
        configured_seed_sets(find(tmp_path))

    assert (str(caught.value.place), caught.value.hint) == ("aigym-db.toml:1:10", hint)


def test_an_unknown_lint_rule_is_shown_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.aigym-db]\nowner = "a"\n\n[tool.aigym-db.lint]\ndrop-colum = "off"\n'
    )

    with pytest.raises(BadConfig, match="rule `drop-colum`, which does not exist") as caught:
        lint(find(tmp_path))

    assert (str(caught.value.place), caught.value.hint) == ("pyproject.toml:5:1", "Write `drop-column`.")


@pytest.mark.parametrize(
    "name",
    ["embedded", "embedded:16", "system", "system:15", "path:/x", "path:", "embedded:", "system:x", "x"],
)
def test_a_server_name_of_the_configuration_is_one_of_a_server(name: str) -> None:
    try:
        binaries.find(name)
        known = True
    except ServerUnfit as error:
        known = "no server called" not in error.message

    assert is_server_name(name) is known

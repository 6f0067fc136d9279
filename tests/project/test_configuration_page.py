"""docs/configuration.md names every setting, marker option and key, and its examples are valid."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from aigym_db.errors import BadConfig
from aigym_db.lint.rule import rules_by_name
from aigym_db.model.card import AuditMode, Card, Domain, MfaLevel, Partitioning, PersonalColumn, Tenancy
from aigym_db.model.source import Source
from aigym_db.project import cards, domains, targets
from aigym_db.project.config import SETTINGS, Project, find
from aigym_db.project.migrations import MARKER_OPTIONS, parse
from aigym_db.project.settings_schema import settings_schema

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "configuration.md").read_text()
SCHEMA = DOCS / "schemas/settings.json"


def section(title: str) -> str:
    """The text of one section of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> dict[str, str]:
    """The tables of a section, by what their first column quotes."""
    rows_by_name: dict[str, str] = {}
    for line in section(title).splitlines():
        if line.startswith("| `"):
            first = line.split(" | ")[0]
            for name in re.findall(r"`([^`]*)`", first):
                rows_by_name[name] = line
    return rows_by_name


@pytest.mark.parametrize("language", ["toml", "sql"])
def test_the_page_has_examples(language: str) -> None:
    assert f"```{language}\n" in PAGE


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    assert [*rows("Settings")] and {*rows("Settings")} == {*SETTINGS}


def test_every_setting_is_a_field_of_a_project() -> None:
    assert {*SETTINGS} == {field.name for field in dataclasses.fields(Project)} - {"root", "file"}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_default_of_a_setting_is_the_one_of_the_page(name: str) -> None:
    shown = rows("Settings")[name].split(" | ")[1].strip("`")
    default = getattr(Project(Path()), name)

    if shown == "none":
        assert default is None
    else:
        assert tomllib.loads(f"value = {shown}")["value"] == (
            [*default] if isinstance(default, tuple) else default
        )


def test_every_marker_option_has_a_row_and_every_row_an_option() -> None:
    options = {name.partition(":")[0] for name in rows("Migration files") if not name.startswith("--")}

    assert options == {*MARKER_OPTIONS}


def test_every_card_key_and_every_value_of_it_is_named() -> None:
    keys = rows("Cards")

    assert {*keys} == {*cards.KEYS}
    for key, values in {
        "tenancy": get_args(Tenancy),
        "mfa": get_args(MfaLevel),
        "audit": get_args(AuditMode),
        "basis": cards.BASES,
        "personal": (*cards.CLASSES, *cards.ERASURES),
    }.items():
        assert [value for value in values if f"`{value}`" not in keys[key]] == []


def test_every_key_of_a_domain_and_of_a_targets_file_is_named() -> None:
    assert {*rows("Domains")} == {*domains.KINDS}
    assert {*rows("Targets")} == {*targets.TOP_KINDS, *targets.TARGET_KINDS}


def test_every_field_of_a_card_in_templates_is_named() -> None:
    fields = {field.name for field in dataclasses.fields(Card)}

    assert {*rows("Templates")} == {*fields, "name"}
    for part in (PersonalColumn, Partitioning):
        assert [f for f in dataclasses.fields(part) if f"`{f.name}`" not in section("Templates")] == []
    assert {field.name for field in dataclasses.fields(Domain)} == {*domains.KINDS}


def test_the_example_of_settings_is_valid(tmp_path: Path) -> None:
    example = re.findall(r"```toml\n(.*?)```", section("Settings"), re.DOTALL)[0]
    (tmp_path / "aigym-db.toml").write_text(example)

    assert {*find(tmp_path).lint} <= {*rules_by_name()}


def test_the_example_of_a_migration_is_valid() -> None:
    example = re.findall(r"```sql\n(.*?)```", section("Migration files"), re.DOTALL)[0]

    assert parse(Source("0001_x.sql", example), 1, "x").up.lock_timeout_ms == 5_000


def test_the_example_of_a_card_is_valid() -> None:
    example = re.findall(r"```sql\n(.*?)```", section("Cards"), re.DOTALL)[0]

    assert cards.card(Source("schema/app/notes.sql.j2", example)).owner_column == "owner_id"


def test_the_schema_of_the_settings_is_fresh() -> None:
    """Write it with `PYTHONPATH=. python tests/project/test_configuration_page.py` after a change."""
    assert json.loads(SCHEMA.read_text()) == settings_schema()


@pytest.mark.parametrize("name", SETTINGS)
def test_the_schema_rejects_what_the_configuration_rejects(name: str, tmp_path: Path) -> None:
    samples = [
        '"x"',
        '"system:15"',
        "1",
        "0",
        "true",
        '["a", "b"]',
        '["a", "a"]',
        '["$user"]',
        "[1]",
        "[]",
        '{ a = "off" }',
        '""',
    ]
    for sample in samples:
        (tmp_path / "aigym-db.toml").write_text(f"{name} = {sample}\n")
        try:
            find(tmp_path)
            accepted = True
        except BadConfig:
            accepted = False
        content = tomllib.loads(f"{name} = {sample}\n")

        assert jsonschema.Draft202012Validator(settings_schema()).is_valid(content) is accepted, sample


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(settings_schema(), indent=2) + "\n")

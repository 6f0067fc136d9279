"""The published JSON Schemas, against the documents that the commands print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aigym_db.report.document_schema import document_schema
from aigym_db.report.documents import RESULTS
from tests.support.command import SCHEMAS, ProjectInProcess

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ProjectInProcess:
    """Two frozen migrations and a draft."""
    project = ProjectInProcess(tmp_path, capsys)
    project.write("aigym-db.toml", "")
    project.migration("0001_one", "create table one (id bigint primary key);", "drop table one;")
    project.migration("0002_two", "create table two (id bigint primary key);", "drop table two;", frozen=True)
    project.migration("0003_three", "alter table two drop column id;", None, options="phase:contract")
    return project


@pytest.mark.parametrize("name", RESULTS)
def test_the_schema_of_a_document_is_fresh(name: str) -> None:
    """Write all of them with `PYTHONPATH=. python tests/project/test_json_documents.py`."""
    assert json.loads((SCHEMAS / f"{name}.json").read_text()) == document_schema(name)


def test_every_command_has_a_schema() -> None:
    commands = {path.stem for path in (ROOT / "aigym_db/cli/commands").glob("*.py")} - {"__init__"}

    assert commands == {*RESULTS}


def test_the_page_names_every_field_of_every_document() -> None:
    page = (ROOT / "docs/json.md").read_text()

    def names(schema: dict[str, Any]) -> set[str]:
        nested = [
            *filter(None, [schema.get("items")]),
            *schema.get("anyOf", ()),
            *schema.get("properties", {}).values(),
        ]
        return {*schema.get("properties", {})}.union(*map(names, nested))

    for command in RESULTS:
        assert [name for name in sorted(names(document_schema(command))) if f"`{name}`" not in page] == []


def test_the_documents_of_a_database_have_their_schemas(project: ProjectInProcess, database: str) -> None:
    def run(*words: str) -> dict[str, Any]:
        return project("--format", "json", "--database", database, *words).document

    assert [migration["frozen"] for migration in run("status")["pending"]] == [True, True, False]
    # The draft is rejected, and the document contains the error.
    assert run("migrate")["findings"][0]["code"] == "AIG-G001"
    assert [migration["version"] for migration in run("migrate", "--phase", "expand")["applied"]] == [1, 2]
    assert run("migrate", "--phase", "expand")["waiting"]
    assert len(run("status")["applied"]) == 2
    assert run("status", "--sql", "1")["sql"]
    assert [migration["version"] for migration in run("rollback")["rolled_back"]] == [2]
    assert run("rollback", "--to", "9")["exit_status"] == 2
    assert run("verify", "lock")["ran"] == ["lock"]


def test_the_documents_of_targets_have_their_schemas(
    project: ProjectInProcess, database: str, tmp_path: Path
) -> None:
    (tmp_path / "migrations/0003_three.sql").unlink()
    project.write(
        "targets.toml",
        f"[[target]]\nname = 'one'\ndsn = \"{database}\"\n"
        "[[target]]\nname = 'gone'\ndsn = 'host=127.0.0.1 port=1 dbname=x'\n",
    )

    def run(*words: str) -> dict[str, Any]:
        command = (*words, "--targets", str(tmp_path / "targets.toml"))
        return project("--format", "json", *command).document

    reached, gone = run("status")["targets"]
    assert (reached["name"], reached["version"], len(reached["pending"]), reached["unfinished"]) == (
        "one",
        None,
        2,
        [],
    )
    assert (gone["name"], gone["version"], gone["pending"], gone["unfinished"]) == ("gone", None, None, None)
    reached, gone = run("migrate")["targets"]
    assert (reached["pending"], reached["waiting"], gone["pending"], gone["waiting"]) == (2, 0, None, None)
    assert (reached["applied"], gone["error"]["code"]) == ([], "AIG-S001")
    reached, gone = run("rollback", "--to", "0")["targets"]
    assert (reached["pending"], reached["rolled_back"], gone["pending"], gone["rolled_back"]) == (
        0,
        [],
        None,
        [],
    )


def test_the_other_documents_have_their_schemas(project: ProjectInProcess, tmp_path: Path) -> None:
    def run(*words: str) -> dict[str, Any]:
        return project("--format", "json", *words).document

    assert run("lint")["counts"]["error"] >= 0
    assert run("new", "four", "--empty")["files"]
    assert run("freeze")["frozen"] == ["0003 three", "0004 four"]
    assert run("explain")["codes"]
    assert run("explain", "AIG-P001")["page"]
    assert run("doctor")["checks"]
    assert run("init", str(tmp_path / "new"))["files"]
    assert run("server", "stop")["stopped"] is False
    assert run("render")["ok"] is False
    assert run("seed", "nothing")["ok"] is False


if __name__ == "__main__":
    for command in RESULTS:
        (SCHEMAS / f"{command}.json").write_text(json.dumps(document_schema(command), indent=2) + "\n")

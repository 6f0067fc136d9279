"""Behaviour of every command: invalid input, help, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aigym_db import __version__
from aigym_db.cli.main import COMMANDS, status
from tests.support.command import ProjectInProcess

ALL = sorted(path.stem for path in COMMANDS.glob("[a-z]*.py"))
HEAVY = {"pglast", "sqlglot", "jinja2", "rich", "testcontainers"}


def modules_after(arguments: list[str], folder: Path) -> set[str]:
    """The top-level modules a fresh process has imported after a command."""
    code = (
        "import sys; from aigym_db.cli.main import status; "
        f"status({arguments!r}); print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_an_unknown_command_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    code = status(["launch"])

    assert code == 2
    assert "No such command 'launch'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [(["migrat"], "migrate"), (["verfy"], "verify"), (["server", "strat"], "start")],
    ids=str,
)
def test_a_misspelt_command_is_rejected_with_the_similar_one(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(words) == 2

    shown = capsys.readouterr().err
    assert f"No such command '{words[-1]}'." in shown
    assert f"hint: Write `{hint}`." in shown


def test_no_summary_of_a_command_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["server"]):
        assert status([*words, "--help"]) == 0

    assert "..." not in capsys.readouterr().out.replace("COMMAND [ARGS]...", "")


def test_an_error_is_json_on_stdout_with_format_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = status(["-C", str(tmp_path), "--format", "json", "freeze"])

    document = json.loads(capsys.readouterr().out)
    assert code == 2
    assert (document["command"], document["ok"], document["exit_status"]) == ("freeze", False, 2)
    assert document["findings"][0]["code"] == "AIG-P001"


def test_a_wrong_setting_is_shown_with_a_caret_under_its_first_letter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "aigym-db.toml").write_text("# 名前\nownr = 'x'\n")

    status(["-C", str(tmp_path), "freeze"])

    lines = capsys.readouterr().err.splitlines()
    assert "--> aigym-db.toml:2:1" in lines[1]
    assert lines[2].index("ownr") == lines[3].index("^")


def test_a_long_line_is_shown_from_its_first_letter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "aigym-db.toml").write_text(f"ownr = '{'x' * 200}'\n")

    status(["-C", str(tmp_path), "freeze"])

    lines = capsys.readouterr().err.splitlines()
    assert lines[2].index("ownr = 'x") == lines[3].index("^")


def test_github_gets_an_annotation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (tmp_path / "aigym-db.toml").write_text("ownr = 'x'\n")

    status(["-C", str(tmp_path), "freeze"])

    annotation = capsys.readouterr().err.splitlines()[-1]
    assert annotation.startswith("::error file=aigym-db.toml,line=1,col=1,title=AIG-P002::")
    assert "`ownr`.%0Ahint: Write `owner`." in annotation


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["launch"], None),
        ([], None),
        (["--nothing", "freeze"], None),
        (["-C", "test", "status"], "status"),
        (["migrate", "--nothing"], "migrate"),
    ],
    ids=str,
)
def test_a_document_names_the_command(
    words: list[str], command: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["--format", "json", *words]) == 2

    assert json.loads(capsys.readouterr().out)["command"] == command


@pytest.mark.parametrize(
    ("words", "is_json"),
    [
        (["--format", "text", "--format", "json"], True),
        (["--format=json", "--format", "text"], False),
        (["--format", "JSON"], False),
    ],
    ids=str,
)
def test_the_last_format_counts(words: list[str], is_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert status([*words, "launch"]) == 2

    assert capsys.readouterr().out.startswith("{") == is_json


@pytest.mark.parametrize(
    "words", [[], [""], ["--"], ["--", ""], ["--format"], ["-C"], ["\udcff"], ["-"], ["--format="]], ids=repr
)
def test_an_incomplete_command_line_is_rejected_without_a_traceback(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(words) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Usage: aigym-db" in shown.err or shown.err.startswith("error AIG-P013")


def test_a_format_after_the_end_of_the_options_is_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["explain", "--", "--format=json"]) == 2

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "words",
    [
        ("migrate", "--to", "-1"),
        ("migrate", "--allow-out-of-order", "-1"),
        ("rollback", "--to", "-1"),
        ("status", "--sql", "-1"),
    ],
    ids=" ".join,
)
def test_a_version_is_not_negative(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert status([*words]) == 2

    assert "-1 is not in the range x>=0." in capsys.readouterr().err


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_and_at_most_six_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = status([name, "--help"])

    text = capsys.readouterr().out
    assert code == 0
    assert text.count("\n  -") <= 7


def test_help_lists_every_command_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    status(["--help"])

    listed = [line.split(None, 1) for line in capsys.readouterr().out.partition("Commands:")[2].splitlines()]
    assert sorted(words[0] for words in listed if len(words) == 2) == ALL


@pytest.mark.parametrize("arguments", [["--version"], ["freeze"]])
def test_fast_commands_import_no_heavy_module(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()

    assert not modules_after(arguments, tmp_path) & HEAVY


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_a_closed_pipe_is_not_an_error(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -c 'from aigym_db.cli.main import run; run()' explain | head -1",
        shell=True,
        capture_output=True,
        text=True,
    )

    assert done.stderr == ""
    assert done.returncode == 0


def test_init_creates_a_project_and_never_changes_an_existing_one(tmp_path: Path) -> None:
    first = status(["-C", str(tmp_path), "init", "shop"])
    before = {path: path.read_bytes() for path in (tmp_path / "shop").rglob("*") if path.is_file()}
    (tmp_path / "shop/mine.txt").write_text("kept")
    second = status(["-C", str(tmp_path), "init", "shop"])

    assert (first, second) == (0, 2)
    assert all(path.read_bytes() == content for path, content in before.items())


def test_init_in_a_folder_without_write_permission_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    code = status(["-C", str(tmp_path), "init", "file/inside"])

    assert code == 2
    assert "cannot be written" in capsys.readouterr().err


def test_doctor_counts_one_migration_in_the_singular(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = ProjectInProcess(tmp_path, capsys)
    project.migration("0001_one", "select 1;")

    checks = project("--format", "json", "doctor").document["checks"]

    assert checks["migrations"] == "1 migration, 0 frozen"

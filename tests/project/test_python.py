"""The interface for Python programs: docs/python.md, executed, and the cost of the import."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

import aigym_db
from aigym_db.database.servers.databases import temporary_database
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.project.lock_file import freeze

PAGE = Path(__file__).parents[2] / "docs/python.md"


def write_files(text: str, folder: Path) -> None:
    """Write each file that the page shows, named in the first line of its block."""
    for name, content in re.findall(r"```\w+\n(?:#|--) (shop/\S+)\n(.*?)```", text, re.DOTALL):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def test_the_page_does_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text()
    write_files(text, tmp_path)
    monkeypatch.chdir(tmp_path)
    project = aigym_db.find("shop")
    freeze(project, aigym_db.migrations(project))
    report: list[str] = []
    # Roles belong to the whole server, so it is one of its own.
    with throwaway("embedded") as server, temporary_database(server) as database:
        with psycopg.connect(database.dsn) as connection:
            connection.execute("create role shop_owner")
            connection.execute("grant create on schema public to shop_owner")
        blocks = "\n".join(re.findall(r"```pycon\n(.*?)```", text, re.DOTALL))
        example = doctest.DocTestParser().get_doctest(
            blocks, {"dsn": database.dsn}, "python.md", str(PAGE), 0
        )
        result = doctest.DocTestRunner(verbose=False).run(example, out=report.append)

    assert not result.failed, "".join(report)
    assert result.attempted > 15


def test_the_page_names_the_whole_interface() -> None:
    names = "\n".join(re.findall(r"^\| (.*)$", PAGE.read_text(), re.MULTILINE))

    assert {name for name in aigym_db.__all__ if not re.search(rf"\b{name}\b", names)} <= {"__version__"}


def test_every_error_that_the_page_names_is_raised_as_the_page_states() -> None:
    from aigym_db import errors

    named = set(re.findall(r"\b(?:raises|with) ([A-Z][a-z]+[A-Z]\w+)", PAGE.read_text()))

    assert {"UnfrozenMigration", "LedgerChanged", "DataLoss"} <= named
    assert "`aigym_db.errors`" in PAGE.read_text()
    assert [name for name in named if not hasattr(errors, name)] == []


@pytest.mark.parametrize("name", aigym_db.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    value = getattr(aigym_db, name)

    assert name in dir(aigym_db)
    assert name == "__version__" or value.__doc__


FUNCTIONS_OF_A_DATABASE = [aigym_db.migrate, aigym_db.plan, aigym_db.rollback, aigym_db.status]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """The folder of a project without migrations."""
    (tmp_path / "migrations").mkdir()
    return str(tmp_path)


@pytest.mark.parametrize("function", FUNCTIONS_OF_A_DATABASE)
def test_an_empty_dsn_is_rejected_and_not_replaced_by_the_environment(
    folder: str, monkeypatch: pytest.MonkeyPatch, function
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://production.invalid/app")

    with pytest.raises(aigym_db.AigymError, match="connection string is empty"):
        function(" ", folder)


def test_an_empty_dsn_of_verify_is_rejected_and_not_replaced_by_a_temporary_server(folder: str) -> None:
    with pytest.raises(aigym_db.AigymError, match="connection string is empty"):
        aigym_db.verify(folder, dsn="")


@pytest.mark.parametrize("function", [*FUNCTIONS_OF_A_DATABASE, aigym_db.lint, aigym_db.verify])
def test_a_project_may_be_specified_by_its_folder(database: str, folder: str, function) -> None:
    if function in FUNCTIONS_OF_A_DATABASE:
        function(database, folder)
    else:
        function(folder)


@pytest.mark.parametrize("start", ["no_such_folder", "."])
def test_a_missing_project_has_a_hint_without_options_of_the_command_line(tmp_path: Path, start: str) -> None:
    with pytest.raises(aigym_db.AigymError) as error:
        aigym_db.find(tmp_path / start)

    assert "-C" not in error.value.hint


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'migarte'"):
        aigym_db.migarte  # noqa: B018


@pytest.mark.parametrize("name", ["migrate", "lint", "verify"])
def test_a_function_hides_the_subpackage_of_its_name(name: str) -> None:
    """Whether the subpackage was imported before or not."""
    code = f"import aigym_db.{name}, aigym_db; print(callable(aigym_db.{name}))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "True\n"


def test_the_import_is_cheap() -> None:
    code = (
        "import sys; before = {*sys.modules}; import aigym_db; aigym_db.__all__; "
        "print(*sorted({*sys.modules} - before - {*sys.stdlib_module_names}))"
    )

    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)

    imported = [name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names]
    assert imported == ["aigym_db", "aigym_db.version"]

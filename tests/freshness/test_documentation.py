"""The commands and files in the documentation are executed: their output is compared with the page."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from aigym_db.cli.main import COMMANDS
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.local import local
from aigym_db.database.servers.server import Throwaway
from aigym_db.project.config import Project
from tests.support.command import PROGRAM, ProjectFolder

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "DECISIONS.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
}
_BLOCK = re.compile(r"<!-- (run|file|append)(?:: (\S+))? -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXECUTED = [name for name, text in PAGES.items() if "<!-- run -->" in text]


class Shell(ProjectFolder):
    """An empty folder in which the blocks of one page are executed, from the first to the last."""

    def __init__(self, folder: Path, programs: Path, production: str) -> None:
        super().__init__(folder)
        self.path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.production = production

    def execute(self, block: str) -> list[tuple[str, str, str]]:
        """Execute the commands of a block; return each with its expected and its actual output."""
        results = []
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            if command.startswith("cd "):
                self.folder /= command.removeprefix("cd ")
                continue
            variables = self.environment(PATH=self.path, PRODUCTION=self.production)
            process = subprocess.run(
                command, shell=True, cwd=self.folder, env=variables, capture_output=True, text=True
            )
            assert process.returncode == 0, f"{command}\n{process.stdout}{process.stderr}"
            results.append((command, expected.strip(), process.stdout.strip()))
        return results


@pytest.fixture
def shell(tmp_path: Path, server: Throwaway) -> Iterator[Shell]:
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "aigym-db"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    yield Shell(tmp_path, programs, create_database(server).dsn)
    local(tmp_path / "shop").stop()


def as_pattern(expected: str) -> re.Pattern[str]:
    """Return the expected output as a pattern in which … matches any text."""
    return re.compile(re.escape(expected).replace("…", ".*?"), re.DOTALL)


@pytest.mark.parametrize("page", EXECUTED)
def test_the_commands_of_a_page_print_what_it_shows(page: str, shell: Shell) -> None:
    results = []

    for kind, file, text in _BLOCK.findall(PAGES[page]):
        if kind == "run":
            results += shell.execute(text)
        elif kind == "append":
            shell.append(file, text)
        else:
            shell.write(file, text)

    differing = [result for result in results if not as_pattern(result[1]).fullmatch(result[2])]
    assert not differing, "\n".join(f"$ {command}\n{actual}" for command, _, actual in differing)
    assert len(results) >= 2


def test_executed_pages_exist() -> None:
    assert {"README.md", "docs/production.md", "docs/development.md"} <= set(EXECUTED)


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def section(page: str, heading: str) -> str:
    """Return the text of a page from a heading to the next."""
    return PAGES[page].partition(f"\n{heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]


def test_the_readme_lists_every_command() -> None:
    listed = set(re.findall(r"^\| `([a-z]+)", section("README.md", "## Commands"), re.MULTILINE))

    assert listed == {path.stem for path in COMMANDS.glob("[a-z]*.py")}


def test_the_configuration_page_lists_every_setting() -> None:
    listed = set(re.findall(r"^\| `\[?([a-z_]+)", PAGES["docs/configuration.md"], re.MULTILINE))

    assert set(Project.__dataclass_fields__) - {"root", "file"} <= listed


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", PAGES[page])

    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []

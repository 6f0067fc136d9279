"""What the README shows is what happens: its files are written, its commands run, its output compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aigym_db.cli.main import COMMANDS
from aigym_db.database.servers import Throwaway, create_database, local
from aigym_db.project.config import Project

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"<!-- (run|file|append)(?:: (\S+))? -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Reader:
    """Somebody who does what the README says, from its first line to its last."""

    folder: Path
    environment: dict[str, str]

    def run(self, block: str) -> list[tuple[str, str, str]]:
        """Each command of a block, what it should print and what it printed."""
        seen = []
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            if command.startswith("cd "):
                self.folder /= command.removeprefix("cd ")
                continue
            done = subprocess.run(
                command, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            seen.append((command, expected.strip(), done.stdout.strip()))
        return seen

    def write(self, kind: str, file: str, text: str) -> None:
        path = self.folder / file
        before = path.read_text(encoding="utf-8") if kind == "append" else ""
        path.write_text(before + text, encoding="utf-8")


@pytest.fixture
def reader(tmp_path: Path, server: Throwaway) -> Iterator[Reader]:
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "aigym-db"
    program.write_text(f"#!{sys.executable}\nfrom aigym_db.cli.main import run\nrun()\n")
    program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE_URL"))}
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    yield Reader(tmp_path, {**kept, "PATH": path, "PRODUCTION": create_database(server).dsn})
    local(tmp_path / "shop").stop()


def as_pattern(expected: str) -> re.Pattern[str]:
    """The text of the README as a pattern in which … is anything."""
    return re.compile(re.escape(expected).replace("…", ".*?"), re.DOTALL)


def test_following_the_readme_leads_where_it_says(reader: Reader) -> None:
    seen = []

    for kind, file, text in _BLOCK.findall(README):
        if kind == "run":
            seen += reader.run(text)
        else:
            reader.write(kind, file, text)

    differing = [one for one in seen if not as_pattern(one[1]).fullmatch(one[2])]
    assert not differing, "\n".join(f"$ {command}\n{printed}" for command, _, printed in differing)
    assert len(seen) >= 8


def table(heading: str) -> str:
    """The first table below a heading."""
    return README.partition(f"\n{heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]


def test_the_readme_lists_every_command() -> None:
    listed = set(re.findall(r"^\| `([a-z]+)", table("## Commands"), re.MULTILINE))

    assert listed == {path.stem for path in COMMANDS.glob("[a-z]*.py")}


def test_the_readme_lists_every_setting() -> None:
    listed = set(re.findall(r"^\| `\[?([a-z_]+)", table("### Configuration"), re.MULTILINE))

    assert listed == set(Project.__dataclass_fields__) - {"root", "file"}


def test_every_file_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert [link for link in links if not (ROOT / link).exists()] == []
